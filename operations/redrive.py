"""Retry jobs that ended in `error`, oldest first, as `POST /jobs/{id}/retry` does for one.

Found by the by-status index, never by a scan. They are queued at a bounded rate; what is more than the third
party's budget waits as any job does.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from functions.common.job import PUBLIC_OWNER, Job, shards
from functions.common.messages import job_message
from functions.common.queues import BATCH, OutgoingMessage, Queue
from functions.common.store import JobStore

PAGE = 100


@dataclass
class Counts:
    """How many were found by code, retried, changed by somebody else meanwhile, and written but not queued
    (the watchdog queues those)."""

    found: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    changed_meanwhile: int = 0
    left_to_watchdog: int = 0


@dataclass(frozen=True)
class Redrive:
    """`rate` is in jobs a second."""

    store: JobStore
    queue: Queue
    rate: int
    sleep: Callable[[float], None]

    def find(self, code: str | None, limit: int) -> list[Job]:
        """At most `limit` jobs that ended in error, those of one code or all, oldest first."""
        found = [job for shard in shards(PUBLIC_OWNER) for job in self._of_shard(shard, code, limit)]
        return sorted(found, key=lambda job: job.created_at)[:limit]

    def run(self, jobs: list[Job]) -> Counts:
        """Retry them. Raises botocore's errors; those that are done stay done."""
        counts = Counts(found=by_code(jobs))
        for start in range(0, len(jobs), BATCH):
            if start:
                self.sleep(BATCH / self.rate)
            part = jobs[start : start + BATCH]
            reopened = [job for one in part if (job := self.store.reopen(one))]
            refused = self.queue.send_all(
                [OutgoingMessage(job.id, job_message(job).body()) for job in reopened]
            )
            counts.retried += len(reopened) - len(refused)
            counts.changed_meanwhile += len(part) - len(reopened)
            counts.left_to_watchdog += len(refused)
        return counts

    def _of_shard(self, shard: str, code: str | None, limit: int) -> list[Job]:
        found: list[Job] = []
        for ids in self.store.pages_by_status(shard, "error", PAGE):
            jobs = self.store.get_many(ids)
            found += [jobs[one] for one in ids if one in jobs and _is_wanted(jobs[one], code)]
            if len(found) >= limit:
                break
        return found[:limit]


def by_code(jobs: list[Job]) -> Counter[str]:
    """How many there are of each code."""
    return Counter(_code(job) for job in jobs)


def _is_wanted(job: Job, code: str | None) -> bool:
    return job.status == "error" and code in (None, _code(job))


def _code(job: Job) -> str:
    return str(job.error.get("code", "unknown")) if job.error else "unknown"
