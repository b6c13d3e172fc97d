"""Fakes: a clock, queues whose messages a test can read, Unsplash, and pages of a web server."""

import json
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from functions.common.errors import Transient
from functions.common.job import Job, Photo
from functions.common.ledger import Ledger
from functions.common.queues import Queue
from functions.common.store import JobStore
from functions.job_worker.budget import RateBudget
from functions.job_worker.photo_source import PhotoSource
from functions.job_worker.report import Reporter
from functions.job_worker.spares import SparePhotos
from functions.job_worker.unsplash import PhotoPage, Unsplash
from functions.job_worker.work import JobWorker
from tests.unit.factories import NOW, make_job, make_message, make_photo, sqs_record


class FakeClock:
    """A clock that changes only when a test sets it."""

    now = NOW

    def __call__(self) -> int:
        return self.now


HIDDEN = {"VisibilityTimeout": "43200"}
"""The longest timeout, so that a slow test does not read a message twice."""


class ReadableQueue(Queue):
    """A queue that a test reads like Lambda's poller: up to ten records, which are then invisible."""

    def __init__(self, sqs: Any, name: str) -> None:
        self.url = sqs.create_queue(QueueName=name, Attributes=HIDDEN)["QueueUrl"]
        super().__init__(sqs, self.url)

    def records(self) -> list[dict[str, Any]]:
        received = self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
        return [
            {**sqs_record(message["Body"], message["MessageId"]), "receiptHandle": message["ReceiptHandle"]}
            for message in received
        ]

    def bodies(self) -> list[Any]:
        return [json.loads(record["body"]) for record in self.records()]


@dataclass(frozen=True)
class Queues:
    sqs: Any
    jobs: ReadableQueue
    results: ReadableQueue
    dead_letters: ReadableQueue


class FakeUnsplash(Unsplash):
    """Returns photos with consecutive numbers, or raises the error set for a topic. Records its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []
        self.errors: dict[str, Exception] = {}
        self.available = 30
        self.reported: int | None = 7

    def random_photos(self, topic: str, count: int) -> PhotoPage:
        self.calls.append((topic, count))
        if topic in self.errors:
            raise self.errors[topic]
        first = 30 * len(self.calls)
        photos = [make_photo(id=f"p{first + number}") for number in range(min(count, self.available))]
        return PhotoPage(photos, self.reported)


class FakeImages:
    """Publishes every image on the CDN, except those of broken photos."""

    broken: frozenset[str] = frozenset()

    def publish(self, photo: Photo) -> Photo:
        if photo["id"] in self.broken:
            raise Transient("bad_image", "broken")
        return {**photo, "regular": f"https://cdn.test/{photo['id']}"}


class Workbench:
    """A job worker with moto's tables and queues. Random delays have their average length."""

    def __init__(self, dynamodb: Any, store: JobStore, queues: Queues, clock: FakeClock, pool: Executor):
        self.store, self.queues, self.ledger = store, queues, Ledger(dynamodb, "ledger")
        self.unsplash, self.images = FakeUnsplash(), FakeImages()
        budget = RateBudget(self.ledger, 50, 3600, 50, clock)
        self.source = PhotoSource(self.unsplash, budget, SparePhotos(self.ledger), clock)
        destinations = (queues.jobs, queues.results, queues.dead_letters)
        reporter = Reporter(store, *destinations, 10, clock, uniform=lambda low, high: (low + high) / 2)
        self.worker = JobWorker(
            store=store,
            find_photos=self.source.find,
            images=self.images,
            reporter=reporter,
            pool=pool,
            clock=clock,
        )

    def add(self, *queries: str, **values: Any) -> list[Job]:
        """Create and queue a job for each query."""
        jobs = [make_job(query=query, **values) for query in queries]
        for job in jobs:
            self.store.create(job)
            self.queues.jobs.send(make_message(job).body())
        return jobs

    def work(self) -> set[str]:
        """Work on the messages in the jobs queue. Return the bodies of those that must be redelivered."""
        records = {record["messageId"]: record for record in self.queues.jobs.records()}
        return {records[message_id]["body"] for message_id in self.worker.work(list(records.values()))}


Page = Callable[[BaseHTTPRequestHandler], None]


def page(*, status: int = 200, body: bytes = b"", **headers: str) -> Page:
    """Return a page that responds immediately. A Content-Length set by the test is not changed."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return send
