"""Wake jobs that are overdue or parked, fail those whose wake-ups are lost too often, and run schedules.

A job may be overdue because its message is lost, because a worker crashed, or because it waits in a backlog.
Another wake-up is right in all cases: where it is not needed, it has no effect. But only one that was sent
while no other message was waiting tells whether messages are lost. If the job is overdue again after
`MAX_RESCUES` of these, and no message is waiting now either, it ends as `lost`.

A job whose kind does not exist any more has no queue. It ends as `retired` when it is overdue: until then it
may be of a kind that is just being deployed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from functions.common.clock import Clock
from functions.common.job import Job, JobError, is_job, shards
from functions.common.job_metrics import count_failed, outcome_fields
from functions.common.messages import job_message, log_fields
from functions.common.observability import count, logger
from functions.common.queues import MAX_DELAY_SECONDS, Queue
from functions.common.schedule import PREFIX, is_schedule
from functions.common.store import JobStore, failed
from functions.common.wake import Waker
from functions.job_watchdog.run_schedules import ScheduleRunner

MAX_RESCUES = 3
RUN_SECONDS = 50
"""A run starts no step after this time. The next run, a minute after the start of this one, continues."""


@dataclass(frozen=True)
class JobWatchdog:
    """`grace` is how many seconds a job may be overdue before another wake-up is sent.

    `queues` are those of the wake-ups by kind, `reports` those in which the outcome of a job may be waiting.
    """

    store: JobStore
    schedules: ScheduleRunner
    queues: Mapping[str, Queue]
    reports: tuple[Queue, ...]
    grace: int
    clock: Clock

    def run(self) -> None:
        """Do what is due, in steps of 100 from each partition of the index in turn: none starves another.

        Raises botocore's errors. The next run tries again.
        """
        start = self.clock()
        is_idle = cache(self._is_idle)
        late, soon = start - 1000 * self.grace, start + 1000 * MAX_DELAY_SECONDS
        sent = [self.store.due_until(name, late) for name in shards("sent")]
        waiting = [self.store.due_until(name, soon) for name in shards("wait")]
        while (sent or waiting) and self.clock() < start + 1000 * RUN_SECONDS:
            sent = [pages for pages in sent if self._rescue_next(pages, late, is_idle)]
            waiting = [pages for pages in waiting if self._wake_next(pages, soon)]
        if sent or waiting:
            count("WatchdogBehind")
            logger.warning("run ended before its work was done")

    def _is_idle(self, kind: str) -> bool:
        """Return whether no message of a kind, and no outcome, is waiting. Asked once per run and kind."""
        return all(queue.is_empty() for queue in (self.queues[kind], *self.reports))

    def _wake_next(self, pages: Iterator[dict[str, int]], latest: int) -> bool:
        """Wake the parked jobs of the next page, and run its schedules. Return False if there is none."""
        page = next(pages, None)
        if page is None:
            return False
        now = self.clock()
        # a job's message can be sent before it is due, a schedule's job is created at its time
        self.schedules.run(
            [
                id_in_table.removeprefix(PREFIX)
                for id_in_table, wake_at in page.items()
                if is_schedule(id_in_table) and wake_at <= now
            ]
        )
        for kind, jobs in _by_kind(self._jobs(page, latest)).items():
            if kind in self.queues:
                self._wake(kind, jobs, rescue=False)
            else:
                self._retire(kind, [job for job in jobs if (job.wake_at or 0) <= now - 1000 * self.grace])
        return True

    def _rescue_next(
        self, pages: Iterator[dict[str, int]], latest: int, is_idle: Callable[[str], bool]
    ) -> bool:
        """Wake the overdue jobs of the next page, or end them. Return False if there is none."""
        page = next(pages, None)
        if page is None:
            return False
        late = self._jobs(page, latest)
        for kind, jobs in _by_kind(late).items():
            if kind not in self.queues:
                self._retire(kind, jobs)
                continue
            idle = is_idle(kind)
            lost = [job for job in jobs if idle and job.rescues >= MAX_RESCUES]
            self._fail(lost, "lost", f"the job's message was lost {MAX_RESCUES + 1} times")
            self._wake(kind, [job for job in jobs if job not in lost], rescue=idle)
        count("JobsLate", len(late))
        return True

    def _jobs(self, page: Iterable[str], latest: int) -> list[Job]:
        """Return the pending jobs of a page. The index names them; the table has their current state."""
        jobs = self.store.get_many(filter(is_job, page)).values()
        return [job for job in jobs if job.wake_at is not None and job.wake_at <= latest]

    def _wake(self, kind: str, jobs: list[Job], *, rescue: bool) -> None:
        woken = Waker(self.store, self.queues[kind], self.clock).wake(jobs, rescue=rescue)
        for job in woken:
            logger.info("job woken", extra=log_fields(job_message(job), rescue=rescue, parked=job.parked))
        count("JobsRescued", len(woken) if rescue else 0)

    def _retire(self, kind: str, jobs: list[Job]) -> None:
        self._fail(jobs, "retired", f"there are no jobs of kind {kind} any more")

    def _fail(self, jobs: list[Job], code: str, message: str) -> None:
        updates = [
            failed(job_message(job), JobError(code=code, message=message, attempts=job.attempts))
            for job in jobs
        ]
        outcomes = self.store.update_all(updates)
        for update, outcome in zip(updates, outcomes, strict=True):
            logger.error("overdue job failed", extra=outcome_fields(update, outcome))
        ended = [outcome for outcome in outcomes if isinstance(outcome, Job)]
        count("JobsLost", len(ended) if code == "lost" else 0)
        count_failed(ended)


def _by_kind(jobs: list[Job]) -> dict[str, list[Job]]:
    groups: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        groups[job.kind].append(job)
    return groups
