"""Clients of the API in the simulation. They repeat a request that had no answer, under its own key."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.system import System
from tests.simulation.world import Process

MAX_TRIES = 12
RETRY_MS = (500, 2000)
TOKEN_MS = 10**9


@dataclass
class Answers:
    """What the callers have been told."""

    accepted: dict[str, str] = field(default_factory=dict)
    """The owner of each job that was answered with 201."""
    cancelled: set[str] = field(default_factory=set)
    reopened: dict[str, int] = field(default_factory=dict)
    keys: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """The ids of the jobs that were returned for each owner and key."""
    changed: Counter[str] = field(default_factory=Counter)
    """The status that jobs got by a filter, and how many of them the answers counted."""
    refused: list[str] = field(default_factory=list)
    waiting: int = 0


class Callers:
    """Sends requests at given times."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._world = system.world
        self._number = 0
        self.answers = Answers()
        self.on_accepted: Callable[[str, str], object] = lambda _, __: None
        """Called with the owner and the id of each accepted job."""

    def post(
        self,
        kind: str = "photo",
        *,
        at: float = 0,
        key: str | None = None,
        owner: str = "ann",
        delay: int = 0,
        notify: str | None = None,
        then: Callable[[str], object] = lambda _: None,
        **job_input: Any,
    ) -> None:
        """Create a job `at` seconds from now. `then` gets its id once it is accepted."""
        self._number += 1
        key = key or f"key-{self._number}"
        body = json.dumps({"kind": kind, "input": job_input, "delay_seconds": delay, "notify": notify})

        def accept(answer: dict[str, Any]) -> None:
            job = json.loads(answer["body"])
            if job["id"] not in self.answers.accepted:
                self.on_accepted(owner, job["id"])
            self.answers.accepted[job["id"]] = owner
            self.answers.keys.setdefault((owner, key), set()).add(job["id"])
            then(job["id"])

        event = _event("POST", "/jobs", owner, headers={"Idempotency-Key": key}, body=body)
        self._send(event, at, (201,), accept)

    def post_all(self, *entries: dict[str, Any], at: float = 0, owner: str = "ann") -> None:
        """Create several jobs with one call, which is repeated with the same keys until all are accepted.

        Each entry has its `kind` and the fields of its input.
        """
        jobs = []
        for entry in entries:
            self._number += 1
            job_input = {name: value for name, value in entry.items() if name != "kind"}
            jobs.append({"key": f"key-{self._number}", "kind": entry["kind"], "input": job_input})

        def accept(answer: dict[str, Any]) -> bool:
            results = json.loads(answer["body"])["results"]
            for entry, result in zip(jobs, results, strict=True):
                if "id" not in result:
                    continue
                if result["id"] not in self.answers.accepted:
                    self.on_accepted(owner, result["id"])
                self.answers.accepted[result["id"]] = owner
                self.answers.keys.setdefault((owner, str(entry["key"])), set()).add(result["id"])
            return all("id" in result for result in results)

        self._send(_event("POST", "/jobs/bulk", owner, body=json.dumps({"jobs": jobs})), at, (200,), accept)

    def change_all(self, what: str, *, at: float = 0, owner: str = "ann", **fields: Any) -> None:
        """Cancel or retry by a filter, again and again until there are no more jobs."""

        def count(answer: dict[str, Any]) -> bool:
            body = json.loads(answer["body"])
            self.answers.changed["cancelled" if what == "cancel" else "pending"] += body["changed"]
            return not body["more"]

        self._send(_event("POST", f"/jobs/{what}", owner, body=json.dumps(fields)), at, (200,), count)

    def cancel(self, job_id: str, *, at: float = 0, owner: str = "ann") -> None:
        """Cancel a job `at` seconds from now."""
        event = _event("DELETE", "/jobs/{id}", owner, job_id)
        self._send(event, at, (200, 409), lambda _: self.answers.cancelled.add(job_id))

    def retry(self, job_id: str, *, at: float = 0, owner: str = "ann") -> None:
        """Retry a job that has ended `at` seconds from now."""

        def count(answer: dict[str, Any]) -> None:
            if answer["statusCode"] == 200:
                self.answers.reopened[job_id] = self.answers.reopened.get(job_id, 0) + 1

        self._send(_event("POST", "/jobs/{id}/retry", owner, job_id), at, (200, 409), count)

    def schedule(
        self,
        cron: str,
        *,
        at: float = 0,
        owner: str = "ann",
        timezone: str = "UTC",
        then: Callable[[str], object] = lambda _: None,
    ) -> None:
        """Create a schedule of the kind flaky. A repeated request creates another one."""
        body = json.dumps({"kind": "flaky", "input": {}, "cron": cron, "timezone": timezone})
        event = _event("POST", "/schedules", owner, body=body)
        self._send(event, at, (201,), lambda answer: then(json.loads(answer["body"])["id"]))

    def change_schedule(self, schedule_id: str, *, at: float, owner: str = "ann", **values: Any) -> None:
        """Change a schedule `at` seconds from now."""
        event = _event("PATCH", "/schedules/{id}", owner, schedule_id, body=json.dumps(values))
        self._send(event, at, (200, 404), lambda _: None)

    def delete_schedule(self, schedule_id: str, *, at: float, owner: str = "ann") -> None:
        """Delete a schedule `at` seconds from now."""
        event = _event("DELETE", "/schedules/{id}", owner, schedule_id)
        self._send(event, at, (204, 404), lambda _: None)

    def end_schedules(self, *, at: float, owner: str = "ann") -> None:
        """Pause all schedules of an owner `at` seconds from now."""

        def pause(answer: dict[str, Any]) -> None:
            for schedule in json.loads(answer["body"])["data"]:
                self.change_schedule(schedule["id"], at=0, owner=owner, paused=True)

        self._send(_event("GET", "/schedules", owner), at, (200,), pause)

    def _send(
        self, event: dict[str, Any], at: float, expected: tuple[int, ...], then: Callable[[Any], object]
    ) -> None:
        """Send a request until it gets an expected answer. If `then` returns False, it is sent again."""
        self.answers.waiting += 1

        def send(tries: int) -> None:
            def end(answer: dict[str, Any] | None, error: BaseException | None) -> None:
                if answer is not None and answer["statusCode"] in expected and then(answer) is not False:
                    self.answers.waiting -= 1
                elif tries < MAX_TRIES and (
                    answer is None or answer["statusCode"] in expected or answer["statusCode"] >= 429
                ):
                    self._world.after(self._world.uniform(*RETRY_MS), lambda: send(tries + 1))
                else:
                    self.answers.waiting -= 1
                    self.answers.refused.append(f"{event['httpMethod']} {answer or error}")

            def call(process: Process) -> dict[str, Any]:
                return self._system.api(process, _copy_at(event, process.clock()))

            self._world.spawn(f"api {event['httpMethod']}", call, end)

        self._world.after(1000 * at, lambda: send(1))


def _event(
    method: str,
    resource: str,
    owner: str,
    job_id: str | None = None,
    headers: dict[str, str] | None = None,
    body: str | None = None,
) -> dict[str, Any]:
    return {
        "httpMethod": method,
        "resource": resource,
        "path": resource,
        "pathParameters": {"id": job_id} if job_id else None,
        "queryStringParameters": None,
        "headers": headers or {},
        "body": body,
        "isBase64Encoded": False,
        "requestContext": {
            "stage": "api",
            "requestId": "request-1",
            "identity": {"sourceIp": "192.0.2.1"},
            "authorizer": {"owner": owner_digest(owner), "subject": owner, "operator": "false"},
        },
    }


def _copy_at(event: dict[str, Any], now: int) -> dict[str, Any]:
    """Return the event with a token that is valid at this time."""
    context = event["requestContext"]
    authorizer = {**context["authorizer"], "expires_at": str(now + TOKEN_MS)}
    return {**event, "requestContext": {**context, "authorizer": authorizer}}


def owner_digest(name: str) -> str:
    """Return an owner as the authorizer would name it."""
    return name.encode().hex().ljust(32, "0")
