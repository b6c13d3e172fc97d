"""Fakes: a clock, queues whose messages a test can read, Unsplash, and pages of a web server."""

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from http.server import BaseHTTPRequestHandler
from typing import Any

from msgspec.structs import replace

from functions.common.budget import Limits
from functions.common.errors import Transient
from functions.common.job import Job
from functions.common.kind import BatchJob, Context, Kind
from functions.common.ledger import Ledger
from functions.common.queues import Queue
from functions.common.schedule_store import ScheduleStore
from functions.common.store import JobStore
from functions.job_watchdog.rescue_jobs import JobWatchdog
from functions.job_watchdog.run_schedules import ScheduleRunner
from functions.job_worker.context import JobContext, Tools
from functions.job_worker.progress import JobProgress
from functions.job_worker.report import Reporter
from functions.job_worker.run_work import WorkRunner
from functions.job_worker.work import JobWorker
from kinds.photo import KIND, Input, Photo
from kinds.photo.find_photos import assign_photos
from kinds.photo.photo_source import PhotoSource
from kinds.photo.spares import SparePhotos
from kinds.photo.unsplash import PhotoPage, Unsplash
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


GRACE = 900
"""Seconds."""


def make_watchdog(
    dynamodb: Any,
    by_kind: Mapping[str, Queue],
    clock: FakeClock,
    *,
    reports: tuple[Queue, ...] = (),
    grace: int = GRACE,
) -> JobWatchdog:
    """Return a watchdog of the kinds that have a queue in `by_kind`."""
    store = JobStore(dynamodb, "jobs", clock)
    runner = ScheduleRunner(store, ScheduleStore(dynamodb, "jobs"), by_kind, grace, clock)
    return JobWatchdog(store, runner, by_kind, reports, grace, clock)


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
        if photo.id in self.broken:
            raise Transient("bad_image", "broken")
        return replace(photo, regular=f"https://cdn.test/{photo.id}")


class FakeTime:
    """A monotonic clock that only sleeping moves. Sleeping does not wait."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Workbench:
    """A worker of photos with moto's tables and queues. Random delays have their average length."""

    def __init__(self, dynamodb: Any, store: JobStore, queues: Queues, clock: FakeClock):
        self.dynamodb = dynamodb
        self.store, self.queues, self.ledger, self.clock = store, queues, Ledger(dynamodb, "ledger"), clock
        self.unsplash, self.images, self.time = FakeUnsplash(), FakeImages(), FakeTime()
        self.use(replace_fields(KIND, work=self._find_photos))

    def use(self, kind: Kind, **tools: Any) -> None:
        """Work on jobs with this declaration from now on. `tools` replaces fields of the Tools."""
        budgets = {budget.name: Limits(budget.limit, budget.seconds, budget.limit) for budget in kind.budgets}
        self.kind = kind
        fakes = Tools(
            kind=kind.name,
            ledger=self.ledger,
            budgets=budgets,
            files=None,
            read_secret=lambda name: name,
            clock=self.clock,
            monotonic=self.time.monotonic,
            sleep=self.time.sleep,
        )
        self.tools = replace_fields(fakes, **tools)
        reporter = Reporter(
            store=self.store,
            jobs=self.queues.jobs,
            results=self.queues.results,
            dead_letters=self.queues.dead_letters,
            attempts=kind.attempts,
            retry_seconds=kind.retry_seconds,
            clock=self.clock,
            uniform=lambda low, high: (low + high) / 2,
        )
        runner = WorkRunner(
            kind,
            self.tools,
            lambda job: JobProgress(self.store, job, self.time.monotonic),
            timer=lambda _: nullcontext(),
        )
        self.worker = JobWorker(kind.name, self.store, runner, reporter, self.clock)

    def batch(self, *queries: str, **values: Any) -> list[BatchJob[Input]]:
        """Return jobs as the kind's work gets them, without creating them."""
        jobs = [make_job(query=query, **values) for query in queries]
        progress = [JobProgress(self.store, job, self.time.monotonic) for job in jobs]
        contexts = [JobContext(self.tools, *pair, ends_at=60) for pair in zip(jobs, progress, strict=True)]
        return [BatchJob(context.id, Input(**context.job.input), context) for context in contexts]

    def source(self, context: Context) -> PhotoSource:
        """Return the source of photos, with the fake Unsplash."""
        return PhotoSource(self.unsplash, SparePhotos(context.items), context)

    def _find_photos(self, jobs: list[BatchJob[Input]], context: Context) -> Any:
        return assign_photos(jobs, self.source(context), self.images)

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
        return {records[message_id]["body"] for message_id in self.worker.work(list(records.values()), 60)}


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
