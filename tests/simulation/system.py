"""The system in the simulated world: the product's functions, connected as `infra` connects them."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from functions.change_job.change_job import JobChanger
from functions.change_job.change_jobs import BulkChanger
from functions.change_job.handler import ROUTES as CHANGE_ROUTES
from functions.common.api import Api
from functions.common.budget import Limits
from functions.common.deliveries import Deliveries
from functions.common.find_jobs import JobFinder
from functions.common.job import Job, is_job
from functions.common.ledger import Ledger
from functions.common.queues import Queue as SqsQueue
from functions.common.schedule import Schedule, is_schedule
from functions.common.schedule_store import ScheduleStore
from functions.common.store import JobStore
from functions.common.webhook_secrets import WebhookSecrets
from functions.create_job.create_job import JobIntake
from functions.create_job.handler import ROUTES as CREATE_ROUTES
from functions.create_job.handler import CreateJob
from functions.dlq_worker.record_failures import record_failures
from functions.job_counter.count_jobs import JobCounter
from functions.job_watchdog.rescue_jobs import JobWatchdog
from functions.job_watchdog.run_schedules import ScheduleRunner
from functions.job_worker.context import Tools
from functions.job_worker.progress import JobProgress
from functions.job_worker.report import Reporter
from functions.job_worker.run_work import WorkRunner
from functions.job_worker.work import JobWorker
from functions.result_worker.record_results import record_results
from functions.schedules.handler import ROUTES as SCHEDULE_ROUTES
from functions.schedules.schedules import Schedules
from functions.webhook_sender.receivers import Receivers as WebhookReceivers
from functions.webhook_sender.send_webhooks import WebhookSender
from tests.simulation.dynamodb import DynamoDBClient, Tables
from tests.simulation.kinds import PHOTO_LIMIT, Kinds
from tests.simulation.sqs import Poller, Queue, Records, SqsClient
from tests.simulation.stream import JobStream, Record
from tests.simulation.third_party import ThirdParty
from tests.simulation.webhooks import Receivers, is_ending
from tests.simulation.world import Process, World

MAX_RECEIVES = 5
GRACE_SECONDS = 60
MINUTE = 60_000
VISIBILITY = 60_000
REPORT_VISIBILITY = 30_000
SALT = "salt"
SUBSCRIPTION_MS = (100, 2000)
"""How long the Pipe and the topic take. Records of a job may pass each other."""


@dataclass(frozen=True)
class Started:
    """Work that began at `at` (the world's time), for a job as its worker has read it."""

    job: Job
    at: int


@dataclass
class History:
    """The changes of one job, in the order in which they were written."""

    changes: list[tuple[int, Job]] = field(default_factory=list)


@dataclass(frozen=True)
class ScheduleChange:
    """A write of a schedule at `at` (the world's time)."""

    at: int
    before: Schedule | None
    after: Schedule | None

    @property
    def is_active(self) -> bool:
        """Whether the schedule will create jobs."""
        return self.after is not None and self.after.wake_at is not None


class System:
    """Everything from the API's functions to the topic. `skew` is how far clocks may differ (ms)."""

    def __init__(self, world: World, *, skew: int = 0, watchdog: bool = True) -> None:
        self.world = world
        self.skew = skew
        self.third_party = ThirdParty(world, PHOTO_LIMIT.limit, PHOTO_LIMIT.seconds)
        kinds = Kinds(world, self.third_party)
        self.kinds, self.spent = kinds.declarations, kinds.spent
        self.histories: dict[str, History] = {}
        self.schedules: dict[str, list[ScheduleChange]] = {}
        """The changes of each schedule, in the order in which they were written."""
        self.outage = range(0)
        """When the watchdog does not run (the world's time)."""
        self.started: list[Started] = []
        self.on_published: Callable[[Record], object] = lambda _: None
        """Called with each record that the Pipe publishes to the topic."""
        self.replace_relay: Callable[[], object] = lambda: None
        """Ends a relay, and starts another."""
        self.receivers = Receivers(world)
        self.stream = JobStream(world, self._count, self._publish, self._offset)
        self.tables = Tables(self._on_change)
        self._add_queues()
        if watchdog:
            world.after(MINUTE, self._run_watchdog)

    # --- what the tests use ---

    def jobs(self) -> dict[str, Job]:
        """Return all jobs of the table."""
        items = [item for item in self.tables.items("jobs") if is_job(item["id"]["S"])]
        return {job.id: job for job in map(Job.from_item, items)}

    @property
    def is_quiet(self) -> bool:
        """Return whether nothing is left to do, except what the watchdog does every minute."""
        if not self.world.is_idle or not self.stream.is_consumed:
            return False
        if any(queue.messages for queue in self.queues.values()):
            return False
        if any(changes[-1].is_active for changes in self.schedules.values()):
            return False
        return all(history.changes[-1][1].status != "pending" for history in self.histories.values())

    def api(self, process: Process, event: dict[str, Any]) -> dict[str, Any]:
        """Handle a call by the function that API Gateway would invoke."""
        store, queues = self._store(process), self._kind_queues(process)
        if f"{event['httpMethod']} {event['resource']}" in CREATE_ROUTES:
            intake = JobIntake(store, queues, process.clock, SALT)
            return Api(CREATE_ROUTES, CreateJob(intake, self.kinds), "oidc", process.clock).handle(event)
        if event["resource"].startswith("/schedules"):
            schedules = Schedules(self._schedules(process), self.kinds, process.clock, SALT)
            return Api(SCHEDULE_ROUTES, schedules, "oidc", process.clock).handle(event)
        finder = JobFinder(store, ThreadPoolExecutor(), process.clock)
        changer = BulkChanger(JobChanger(store, queues, SALT), finder, process.clock)
        return Api(CHANGE_ROUTES, changer, "oidc", process.clock).handle(event)

    # --- the functions ---

    def _work(self, kind: str, process: Process, records: Records) -> set[str]:
        declaration = self.kinds[kind]
        store = self._store(process)
        budgets = {
            budget.name: Limits(budget.limit, budget.seconds, budget.limit) for budget in declaration.budgets
        }
        tools = Tools(
            kind=kind,
            ledger=Ledger(self._dynamodb(process), "ledger"),
            budgets=budgets | ({"unsplash": PHOTO_LIMIT} if kind == "photo" else {}),
            files=None,
            read_secret=lambda name: name,
            clock=process.clock,
            monotonic=process.monotonic,
            sleep=process.sleep,
        )
        reporter = Reporter(
            store=store,
            jobs=self._queue(process, kind),
            results=self._queue(process, "results"),
            dead_letters=self._queue(process, "dead-letters"),
            attempts=declaration.attempts,
            retry_seconds=declaration.retry_seconds,
            clock=process.clock,
            uniform=self.world.uniform,
        )

        def new_progress(job: Job) -> JobProgress:
            self.started.append(Started(job, self.world.now))
            return JobProgress(store, job, process.monotonic)

        runner = WorkRunner(
            declaration, tools, new_progress, timer=lambda _: nullcontext(), limit=process.time_limit
        )
        return JobWorker(kind, store, runner, reporter, process.clock).work(records, declaration.timeout + 5)

    def _record_results(self, process: Process, records: Records) -> set[str]:
        return record_results(records, self._store(process))

    def _record_failures(self, process: Process, records: Records) -> set[str]:
        return record_failures(records, self._store(process), MAX_RECEIVES)

    def _count(self, process: Process, records: list[Record]) -> None:
        ledger = Ledger(self._dynamodb(process), "ledger")
        JobCounter(ledger, self.world.random.randrange).count(records)

    def _publish(self, record: Record) -> None:
        """Deliver a record to the subscribers of the topic."""
        self.on_published(record)
        if is_ending(record):
            self.queues["webhooks"].send(json.dumps(record), self.world.uniform(*SUBSCRIPTION_MS))

    def _send_webhooks(self, process: Process, records: Records) -> set[str]:
        ledger = Ledger(self._dynamodb(process), "ledger")
        secrets = WebhookSecrets(ledger.webhooks("webhook-secret"), lambda: b"key", process.clock)
        return WebhookSender(
            deliveries=Deliveries(ledger.webhooks("delivery")),
            receivers=WebhookReceivers(ledger.webhooks("receiver")),
            queue=self._queue(process, "webhooks"),
            dead_letters=self._queue(process, "webhook-dead-letters"),
            secrets=secrets.active,
            post=self.receivers.post,
            clock=process.clock,
            monotonic=process.monotonic,
            uniform=self.world.uniform,
        ).send(records)

    def _run_watchdog(self) -> None:
        def run(process: Process) -> None:
            store, queues = self._store(process), self._kind_queues(process)
            schedules = self._schedules(process)
            JobWatchdog(
                store=store,
                schedules=ScheduleRunner(store, schedules, queues, GRACE_SECONDS, process.clock),
                queues=queues,
                reports=(self._queue(process, "results"), self._queue(process, "dead-letters")),
                grace=GRACE_SECONDS,
                clock=process.clock,
            ).run()

        if self.world.now not in self.outage:
            self.world.spawn("job_watchdog", run, offset=self._offset())
        self.world.after(MINUTE, self._run_watchdog)

    # --- clients of a process ---

    def _store(self, process: Process) -> JobStore:
        return JobStore(self._dynamodb(process), "jobs", process.clock)

    def _schedules(self, process: Process) -> ScheduleStore:
        return ScheduleStore(self._dynamodb(process), "jobs")

    def _dynamodb(self, process: Process) -> Any:
        return DynamoDBClient(self.tables, process.call, is_newer=process.is_newer)

    def _queue(self, process: Process, name: str) -> SqsQueue:
        client: Any = SqsClient(self.queues, process)
        return SqsQueue(client, self.queues[name].url)

    def _kind_queues(self, process: Process) -> dict[str, SqsQueue]:
        return {name: self._queue(process, name) for name in self.kinds}

    def _add_queues(self) -> None:
        dead_letters = Queue("dead-letters", self.world, REPORT_VISIBILITY, max_receives=1000)
        results = Queue("results", self.world, REPORT_VISIBILITY, MAX_RECEIVES, dead_letters)
        self.queues = {"dead-letters": dead_letters, "results": results}
        Poller("result_worker", results, self.world, 10, 2, self._record_results, self._offset)
        Poller("dlq_worker", dead_letters, self.world, 25, 2, self._record_failures, self._offset)
        undelivered = Queue("webhook-dead-letters", self.world, VISIBILITY)
        webhooks = Queue("webhooks", self.world, VISIBILITY, MAX_RECEIVES, undelivered)
        self.queues |= {"webhooks": webhooks, "webhook-dead-letters": undelivered}
        Poller("webhook_sender", webhooks, self.world, 10, 2, self._send_webhooks, self._offset)
        for name, kind in self.kinds.items():
            queue = Queue(name, self.world, VISIBILITY, MAX_RECEIVES, dead_letters)
            self.queues[name] = queue

            def work(process: Process, records: Records, kind_name: str = name) -> set[str]:
                return self._work(kind_name, process, records)

            Poller(f"job_worker {name}", queue, self.world, kind.batch, 2, work, self._offset)

    def _offset(self) -> int:
        return round(self.world.random.uniform(-self.skew, self.skew)) if self.skew else 0

    def _on_change(self, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
        item_id = (new or old or {})["id"]["S"]
        if is_schedule(item_id):
            before, after = (Schedule.from_item(image) if image else None for image in (old, new))
            change = ScheduleChange(self.world.now, before, after)
            self.schedules.setdefault(item_id, []).append(change)
        elif is_job(item_id) and new is not None:
            job = Job.from_item(new)
            self.histories.setdefault(job.id, History()).changes.append((self.world.now, job))
        self.stream.add(old, new)
