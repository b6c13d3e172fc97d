"""What stands in for the world: a clock, queues that can be read, Unsplash, and a page of a web server."""

import json
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from functions.common.errors import Transient
from functions.common.job import Job
from functions.common.queues import Queue
from functions.common.store import JobStore
from functions.job_worker.budget import RateBudget
from functions.job_worker.photo_source import PhotoSource
from functions.job_worker.report import Reporter
from functions.job_worker.spares import SparePhotos
from functions.job_worker.unsplash import PhotoPage, Unsplash
from functions.job_worker.watermark import Watermark
from functions.job_worker.work import JobWorker
from tests.unit.factories import NOW, make_job, make_message, make_photo, sqs_record


class FakeClock:
    """Stands still until it is set."""

    now = NOW

    def __call__(self) -> int:
        return self.now


HIDDEN = {"VisibilityTimeout": "43200"}
"""The longest there is: no slow test reads a message twice."""


class ReadableQueue(Queue):
    """A queue that a test reads as Lambda's poller would: up to ten records, hidden once read."""

    def __init__(self, sqs: Any, name: str) -> None:
        self.url = sqs.create_queue(QueueName=name, Attributes=HIDDEN)["QueueUrl"]
        super().__init__(sqs, self.url)

    def records(self) -> list[dict[str, Any]]:
        received = self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
        records = [sqs_record(one["Body"], one["MessageId"]) for one in received]
        return [{**a, "receiptHandle": b["ReceiptHandle"]} for a, b in zip(records, received, strict=True)]

    def bodies(self) -> list[Any]:
        return [json.loads(record["body"]) for record in self.records()]


@dataclass(frozen=True)
class Queues:
    sqs: Any
    jobs: ReadableQueue
    results: ReadableQueue
    dead_letters: ReadableQueue


class FakeUnsplash(Unsplash):
    """Gives photos numbered through, or the error set for a topic; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.errors: dict[str, Exception] = {}
        self.available = 30

    def random_photos(self, topic: str, count: int) -> PhotoPage:
        self.asked.append((topic, count))
        if topic in self.errors:
            raise self.errors[topic]
        first = 30 * len(self.asked)
        photos = [make_photo(id=f"p{first + number}") for number in range(min(count, self.available))]
        return PhotoPage(photos, 7)


class FakeImages:
    """Shows every image from the CDN, except those of broken photos."""

    broken: frozenset[str] = frozenset()

    def keep(self, photo: dict[str, Any]) -> dict[str, Any]:
        if photo["id"] in self.broken:
            raise Transient("bad_image", "broken")
        return {**photo, "regular": f"https://cdn.test/{photo['id']}"}


class Workbench:
    """A job worker at work on moto's tables and queues. Waits of random length take the middle."""

    def __init__(self, dynamodb: Any, store: JobStore, queues: Queues, clock: FakeClock, pool: Executor):
        self.store, self.queues = store, queues
        self.unsplash, self.images = FakeUnsplash(), FakeImages()
        budget = RateBudget(dynamodb, "ledger", 50, 3600, clock)
        self.source = PhotoSource(self.unsplash, budget, SparePhotos(dynamodb, "ledger"), clock)
        outlets = (queues.jobs, queues.results, queues.dead_letters)
        reporter = Reporter(store, *outlets, 10, clock, uniform=lambda low, high: (low + high) / 2)
        self.worker = JobWorker(
            store=store,
            find_photos=self.source.find,
            images=self.images,
            reporter=reporter,
            watermark=Watermark(dynamodb, "ledger"),
            pool=pool,
            clock=clock,
        )

    def add(self, *queries: str, **values: Any) -> list[Job]:
        """A job for each query, written and queued."""
        jobs = [make_job(query=query, **values) for query in queries]
        for job in jobs:
            self.store.create(job)
            self.queues.jobs.send(make_message(job).body())
        return jobs

    def work(self) -> set[str]:
        """Work on what is in the jobs queue. Returns the bodies of the messages that must come again."""
        records = {record["messageId"]: record for record in self.queues.jobs.records()}
        return {records[one]["body"] for one in self.worker.work(list(records.values()))}


Page = Callable[[BaseHTTPRequestHandler], None]


def page(*, status: int = 200, body: bytes = b"", **headers: str) -> Page:
    """A page that answers in one piece; a Content-Length of the test's own is left as it is."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return send
