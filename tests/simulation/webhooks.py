"""The receivers of webhooks in the simulation, and what must hold for what they get."""

import json
from dataclasses import dataclass, field

from functions.common.job import Job
from tests.simulation.stream import Record
from tests.simulation.world import World

ENDS = ("resolved", "error", "cancelled")
LATENCY = (0.05, 0.5)
"""Seconds."""
HOOK = "https://receiver.test/"
FAILS_TWICE, SLOW_AT_FIRST = f"{HOOK}fails-twice", f"{HOOK}slow-at-first"


@dataclass(frozen=True)
class Received:
    """A request for the end of a job's run, from its start to its answer (the world's time)."""

    job_id: str
    run: int
    webhook_id: str
    started_at: int
    ended_at: int
    accepted: bool


@dataclass
class Receivers:
    """Answers webhooks as their URL says."""

    world: World
    received: list[Received] = field(default_factory=list)

    def post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """Receive a request, as the function that sends webhooks makes it."""
        data = json.loads(body)["data"]
        webhook_id = headers["webhook-id"]
        before = [request for request in self.received if request.job_id == data["id"]]
        started_at = self.world.now
        is_slow = url == SLOW_AT_FIRST and not before
        self.world.process.sleep(8 if is_slow else self.world.uniform(*LATENCY))
        accepted = not (url == FAILS_TWICE and len(before) < 2)
        run = int(webhook_id.rpartition("_")[2])
        self.received.append(Received(data["id"], run, webhook_id, started_at, self.world.now, accepted))
        return 204 if accepted else 500

    def breaches(self, jobs: dict[str, Job]) -> list[str]:
        """Return which guarantees were broken. No delivery must be under way."""
        problems = []
        for job in jobs.values():
            requests = [request for request in self.received if request.job_id == job.id]
            if job.notify and job.status in ENDS:
                if not any(request.accepted and request.run == job.run for request in requests):
                    problems.append(f"{job.id}: the webhook of run {job.run} was not delivered")
            elif requests:
                problems.append(f"{job.id}: a webhook was sent that was not wanted")
            for number, newer in enumerate(requests):
                for older in requests[:number] + requests[number + 1 :]:
                    if older.run < newer.run and older.ended_at > newer.started_at:
                        problems.append(
                            f"{job.id}: the end of run {older.run} arrived after that of {newer.run}"
                        )
            if len({(request.run, request.webhook_id) for request in requests}) > len(
                {request.run for request in requests}
            ):
                problems.append(f"{job.id}: a repeated webhook has another id")
        return problems


def is_ending(record: Record) -> bool:
    """Return whether the filter of the subscription lets a record pass."""
    old, new = (record["dynamodb"].get(name, {}) for name in ("OldImage", "NewImage"))
    status = [image.get("status", {}).get("S") for image in (old, new)]  # schedules do not have one
    return status[0] == "pending" and status[1] in ENDS and "notify" in new
