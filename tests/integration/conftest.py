"""Start the whole system once: emulator, stacks, stand-in, relay and front door, on free ports.

The emulator enforces IAM, so that a missing grant fails a test. With AWS_ENDPOINT_URL the stacks are deployed
to the emulator at that URL. With CALO_API_URL nothing is started, and the tests call the deployment at that
URL (docs/local.md).
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
FINAL_STATUSES = ("resolved", "error", "cancelled")
TOPIC_WITHOUT_PHOTOS = "xyzzy qjzxkvw"
"""A topic for which neither the stand-in nor Unsplash has photos."""
API_URL = "CALO_API_URL"
KINDS = Path(__file__).with_name("kinds")
"""More kinds for the tests, which are deployed beside the included ones."""
PASSED_VARIABLES = (*VARIABLES, "UNSPLASH_API_URL")


class LiveStream:
    """A live stream that a client library reads in a separate thread."""

    def __init__(self, url: str, **query: str) -> None:
        self.received: list[JobJson] = []
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
            return  # the test closed the client

    def __enter__(self) -> "LiveStream":
        self._thread.start()
        assert self._open.wait(60), "the stream did not open"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def next_event(self, seconds: float = 60) -> ServerSentEvent:
        """Return the next event. Raise queue.Empty after `seconds`."""
        return self._events.get(timeout=seconds)

    def wait_for(self, condition: Callable[[JobJson], bool], seconds: float = 60) -> JobJson:
        """Return the next job that meets the condition. All jobs up to it are added to `received`."""
        deadline = time.monotonic() + seconds
        while True:
            event = self.next_event(max(0.01, deadline - time.monotonic()))
            job: JobJson = json.loads(event.data)
            self.received.append(job)
            self.cursors.append(event.id)
            if condition(job):
                return job

    def wait_for_end(self, job_id: str, seconds: float = 60) -> JobJson:
        """Return the job once it has a final status."""
        return self.wait_for(lambda job: job["id"] == job_id and job["status"] in FINAL_STATUSES, seconds)

    def catch_up(self, calo: "Calo") -> None:
        """Create a job and wait until it has ended on this stream: all earlier events have then arrived."""
        self.wait_for_end(calo.create()["id"])


class Deployed:
    """A deployment of which only the API is accessible. A test that needs anything else is skipped."""

    def __init__(self, api_url: str) -> None:
        self.url = api_url.rstrip("/").removesuffix("/api")
        if self.url == api_url.rstrip("/"):
            raise pytest.UsageError(f"{API_URL} must end in /api, which is the name of the stage")

    def __getattr__(self, name: str) -> Any:
        pytest.skip(f"needs access to more than the API of {self.url}")


class Calo:
    """The system as used by clients and operators."""

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
        response = self.post({"query": query, **fields})
        assert response.status_code == 201, response.text
        job: JobJson = response.json()
        return job

    def create_kind(self, kind: str, **job_input: Any) -> JobJson:
        """Create a job of a kind."""
        response = self.post({"kind": kind, "input": job_input})
        assert response.status_code == 201, response.text
        job: JobJson = response.json()
        return job

    def item(self, job_id: str) -> dict[str, Any]:
        """Return the table's item of a job."""
        key = {"id": {"S": job_id}}
        item: dict[str, Any] = self.client("dynamodb").get_item(
            TableName=self.system.outputs["JobsTable"], Key=key
        )["Item"]
        return item

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(path, params=query)

    def live(self, **query: str) -> LiveStream:
        return LiveStream(f"{self.system.url}/api/live", **query)

    def client(self, service: str) -> Any:
        """Return a boto3 client of the emulator, created on first use."""
        if service not in self._clients:
            self._clients[service] = self.system.emulator.client(service)
        return self._clients[service]

    def function_name(self, folder: str, kind: str = "photo") -> str:
        """Return the deployed name of the function in functions/`folder`. Workers have one for each kind."""
        (name,) = [
            function["FunctionName"]
            for function in self.client("lambda").list_functions()["Functions"]
            if function["Handler"] == f"functions.{folder}.handler.handler"
            and function["Environment"]["Variables"].get("KIND_MODULE") in (None, f"kinds.{kind}")
        ]
        return str(name)

    def relay_queues(self) -> list[str]:
        """Return the URLs of the relays' queues."""
        response = self.client("sqs").list_queues(QueueNamePrefix=RELAY_QUEUE_PREFIX)
        return list(response.get("QueueUrls", []))

    def run_watchdog(self) -> None:
        """Invoke the watchdog now instead of waiting for its schedule."""
        response = self.client("lambda").invoke(
            FunctionName=self.function_name("job_watchdog"), Payload=b"{}"
        )
        assert "FunctionError" not in response, response["Payload"].read()

    def send(self, queue_output: str, message: Any) -> None:
        """Send a message to the queue of a stack output. Strings are sent unchanged, other values as JSON."""
        body = message if isinstance(message, str) else json.dumps(message)
        self.client("sqs").send_message(QueueUrl=self.system.outputs[queue_output], MessageBody=body)

    def start_now(self, job_id: str) -> None:
        """Start a delayed job immediately. A message alone would be too early."""
        now = {"N": str(round(time.time() * 1000))}
        self.client("dynamodb").update_item(
            TableName=self.system.outputs["JobsTable"],
            Key={"id": {"S": job_id}},
            UpdateExpression="SET due_at = :now, wake_at = :now",
            ExpressionAttributeValues={":now": now},
        )
        self.send("JobsQueueUrl", job_message(job_id))

    def count_messages(self, *outputs: str) -> int:
        """Return the number of messages, visible and in flight, in queues: by default photos and results."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        total = 0
        for output in outputs or ("JobsQueueUrl", "ResultsQueueUrl"):
            attributes = self.client("sqs").get_queue_attributes(
                QueueUrl=self.system.outputs[output], AttributeNames=names
            )["Attributes"]
            total += sum(int(attributes[name]) for name in names)
        return total


@pytest.fixture(scope="session")
def calo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calo]:
    if API_URL in os.environ:
        with contextlib.closing(Calo(Deployed(os.environ[API_URL]))) as deployed:
            yield deployed
        return
    port, *receivers = free_ports(3)
    folder = run_folder(tmp_path_factory.mktemp("system"), port)
    with _system(folder, port, receivers) as system, contextlib.closing(Calo(system)) as calo:
        yield calo


def _system(folder: Path, port: int, receivers: list[int]) -> LocalSystem:
    """Return the system to start. Only variables that select an emulator are passed from the environment.

    `receivers` are the ports of this machine that webhooks may call.
    """
    environment = {"HOME": str(folder.parent)}
    running = "AWS_ENDPOINT_URL" in os.environ
    if running:
        environment |= {name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ}
    settings = {
        "grace_seconds": str(Calo.grace),
        "kinds_folders": str(KINDS),
        "webhook_private_hosts": ",".join(f"127.0.0.1:{receiver}" for receiver in receivers),
    }
    return LocalSystem(folder, port, settings=settings, environment=environment, enforce_iam=not running)


@pytest.fixture
def unknown_id() -> str:
    return str(uuid.uuid4())


def job_message(job_id: str) -> dict[str, Any]:
    """Return the message that requests the first run of a job."""
    return {"job_id": job_id, "owner": "public", "kind": "photo", "run": 1}


def result_message(job_id: str) -> dict[str, Any]:
    """Return a result message that no worker sent."""
    photo = {
        "id": "forged", "width": 4, "height": 3, "color": None, "blur_hash": None, "alt": None,
        "small": "http://forged", "regular": "http://forged", "page": "http://forged",
        "photographer": {"name": "forged", "url": "http://forged"},
    }  # fmt: skip
    return {**job_message(job_id), "output": json.dumps(photo)}


def eventually(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Call `condition` until its result is true, and return the result. Fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"the condition was not met within {seconds} seconds"
        time.sleep(0.1)
    return result
