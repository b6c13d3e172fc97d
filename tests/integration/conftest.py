"""The deployed whole, started once: emulator, stacks, stand-in, relay and front door on free ports.

Our own emulator enforces IAM, so a grant that is missing fails some test here. With AWS_ENDPOINT_URL the
stacks go to the emulator that runs there; with CALO_API_URL nothing is started, and that deployment is
called (docs/local.md).
"""

import contextlib
import json
import os
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx_sse import ServerSentEvent, connect_sse

from infra.names import RELAY_QUEUE_PREFIX
from local.emulator import VARIABLES
from local.processes import free_ports
from local.run_file import run_folder
from local.system import LocalSystem

JobJson = dict[str, Any]
ENDED = ("resolved", "error", "cancelled")
HOPELESS = "xyzzy qjzxkvw"
"""A topic that has no photos, neither the stand-in's nor Unsplash's."""
API_URL = "CALO_API_URL"
PASSED_ON = (*VARIABLES, "UNSPLASH_API_URL")


class Live:
    """A live stream read by a client library in a thread of its own."""

    def __init__(self, url: str, **query: str) -> None:
        self.seen: list[JobJson] = []
        self.cursors: list[str] = []
        self._events: queue.Queue[ServerSentEvent] = queue.Queue()
        self._client = httpx.Client(timeout=httpx.Timeout(60))
        self._open = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(url, query), daemon=True)

    def _read(self, url: str, query: dict[str, str]) -> None:
        try:
            with connect_sse(self._client, "GET", url, params=query) as source:
                assert source.response.status_code == 200
                self._open.set()
                for event in source.iter_sse():
                    if event.data:
                        self._events.put(event)
        except httpx.HTTPError:
            return  # closed by the test

    def __enter__(self) -> "Live":
        self._thread.start()
        assert self._open.wait(60), "the stream did not open"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def event(self, seconds: float = 60) -> ServerSentEvent:
        """The next event."""
        return self._events.get(timeout=seconds)

    def until(self, condition: Callable[[JobJson], bool], seconds: float = 60) -> JobJson:
        """The next job that meets the condition; the others are kept in `seen`."""
        deadline = time.monotonic() + seconds
        while True:
            event = self.event(max(0.01, deadline - time.monotonic()))
            job: JobJson = json.loads(event.data)
            self.seen.append(job)
            self.cursors.append(event.id)
            if condition(job):
                return job

    def ended(self, job_id: str, seconds: float = 60) -> JobJson:
        """The job in its final status."""
        return self.until(lambda job: job["id"] == job_id and job["status"] in ENDED, seconds)

    def fence(self, calo: "Calo") -> None:
        """Wait until a job made now has ended here: whatever was to come before has come."""
        self.ended(calo.create()["id"])


class Deployed:
    """A deployment of which only the API is known: a test that looks behind it is skipped."""

    def __init__(self, api_url: str) -> None:
        self.url = api_url.rstrip("/").removesuffix("/api")
        if self.url == api_url.rstrip("/"):
            raise pytest.UsageError(f"{API_URL} must end in /api, the name of the stage")

    def __getattr__(self, name: str) -> Any:
        pytest.skip(f"behind the API, which is all that is known of {self.url}")


class Calo:
    """The system as its users and its operators see it."""

    grace = 3

    def __init__(self, system: "LocalSystem | Deployed") -> None:
        self.system: Any = system
        self.http = httpx.Client(base_url=f"{system.url}/api/", timeout=60)
        self._clients: dict[str, Any] = {}

    def close(self) -> None:
        self.http.close()
        for client in self._clients.values():
            client.close()

    def post(self, body: Any = None, *, key: str | None = None) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        content = body if isinstance(body, str) else None if body is None else json.dumps(body)
        return self.http.post("jobs", content=content, headers=headers)

    def create(self, query: str = "pasta", **fields: Any) -> JobJson:
        answer = self.post({"query": query, **fields})
        assert answer.status_code == 201, answer.text
        job: JobJson = answer.json()
        return job

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(path, params=query)

    def live(self, **query: str) -> Live:
        return Live(f"{self.system.url}/api/live", **query)

    def client(self, service: str) -> Any:
        """A boto3 client of the emulator."""
        if service not in self._clients:
            self._clients[service] = self.system.emulator.client(service)
        return self._clients[service]

    def function(self, folder: str) -> str:
        """The deployed name of the function in functions/`folder`."""
        (name,) = [
            one["FunctionName"]
            for one in self.client("lambda").list_functions()["Functions"]
            if one["Handler"] == f"functions.{folder}.handler.handler"
        ]
        return str(name)

    def relay_queues(self) -> list[str]:
        """The queues that relays have."""
        found = self.client("sqs").list_queues(QueueNamePrefix=RELAY_QUEUE_PREFIX)
        return list(found.get("QueueUrls", []))

    def run_watchdog(self) -> None:
        """Let the watchdog look now, not only every minute."""
        answer = self.client("lambda").invoke(FunctionName=self.function("job_watchdog"), Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()

    def send(self, queue_output: str, message: Any) -> None:
        """Put a message on one of the system's queues."""
        body = message if isinstance(message, str) else json.dumps(message)
        self.client("sqs").send_message(QueueUrl=self.system.outputs[queue_output], MessageBody=body)

    def start_now(self, job_id: str) -> None:
        """Let a delayed job not wait any longer."""
        self.send("JobsQueueUrl", job_message(job_id))

    def messages(self) -> int:
        """How many messages the jobs queue and the results queue hold, seen or unseen."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        total = 0
        for output in ("JobsQueueUrl", "ResultsQueueUrl"):
            attributes = self.client("sqs").get_queue_attributes(
                QueueUrl=self.system.outputs[output], AttributeNames=names
            )["Attributes"]
            total += sum(int(attributes[name]) for name in names)
        return total


@pytest.fixture(scope="session")
def calo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calo]:
    if API_URL in os.environ:
        with contextlib.closing(Calo(Deployed(os.environ[API_URL]))) as whole:
            yield whole
        return
    (port,) = free_ports(1)
    folder = run_folder(tmp_path_factory.mktemp("system"), port)
    with _system(folder, port) as system, contextlib.closing(Calo(system)) as whole:
        yield whole


def _system(folder: Path, port: int) -> LocalSystem:
    """Nothing of the caller's goes into it but what names an emulator."""
    environment = {"HOME": str(folder.parent)}
    running = "AWS_ENDPOINT_URL" in os.environ
    if running:
        environment |= {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    settings = {"grace_seconds": str(Calo.grace)}
    return LocalSystem(folder, port, settings=settings, environment=environment, enforce_iam=not running)


@pytest.fixture
def unknown_id() -> str:
    return str(uuid.uuid4())


def job_message(job_id: str) -> dict[str, Any]:
    """What a job's first run is asked for by."""
    return {"job_id": job_id, "owner": "public", "run": 1}


def result_message(job_id: str) -> dict[str, Any]:
    """A result that nobody worked for."""
    photo = {
        "id": "forged", "width": 4, "height": 3, "small": "http://forged", "regular": "http://forged",
    }  # fmt: skip
    return {**job_message(job_id), "result": "http://forged", "photo": photo}


def eventually(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Ask again until the answer is true; returns it."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.1)
    return answer
