"""Find pending jobs whose message was lost, queue them again, and fail those that are lost too often.

A job that waits in a backlog is not lost. A late job counts as lost if either of these holds:

- The jobs queue is empty, so it cannot contain the job's message.
- Messages that were sent long after the job was due have been received already (the watermark).

If a job is queued again by mistake, the second message changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from functions.common.clock import Clock
from functions.common.job import PUBLIC_OWNER, Job, JobError, shards
from functions.common.job_metrics import count_failed, outcome_fields
from functions.common.ledger import Ledger
from functions.common.messages import job_message, log_fields
from functions.common.observability import count, logger
from functions.common.queues import OutgoingMessage, Queue
from functions.common.store import JobStore, JobUpdate, failed

MAX_RESCUES = 3
JOBS_PER_SHARD = 100
"""Jobs that one run reads from each shard of the index. The next run reads the remaining ones."""


@dataclass(frozen=True)
class JobWatchdog:
    """`grace` is how many seconds a job may be late before it is checked."""

    store: JobStore
    ledger: Ledger
    queue: Queue
    grace: int
    clock: Clock

    def run(self) -> None:
        """Check all late jobs once. Raises botocore's errors. The next run checks them again."""
        late = list(self._late_jobs())
        lost = self._lost_jobs(late)
        hopeless = [job for job in lost if job.rescues >= MAX_RESCUES]
        self._fail(hopeless)
        self._queue_again([job for job in lost if job not in hopeless])
        count("JobsLate", len(late))
        logger.info(
            "late jobs checked", extra={"late": len(late), "lost": len(lost), "failed": len(hopeless)}
        )

    def _late_jobs(self) -> Iterator[Job]:
        """Yield pending jobs that are overdue. The index names them; the table has their current state."""
        latest = self.clock() - 1000 * self.grace
        for shard in shards(PUBLIC_OWNER):
            jobs = self.store.get_many(self.store.due_until(shard, latest, JOBS_PER_SHARD))
            yield from (job for job in jobs.values() if job.due_at is not None and job.due_at <= latest)

    def _lost_jobs(self, late: list[Job]) -> list[Job]:
        if not late or self.queue.is_empty():
            return late
        watermark = self.ledger.watermark()
        return [job for job in late if (job.due_at or 0) + 1000 * self.grace < watermark]

    def _queue_again(self, lost: list[Job]) -> None:
        """Update the jobs first. If the send then fails, the job is late again after another grace period."""
        updates = [
            JobUpdate(
                job_message(job),
                {"rescues": job.rescues + 1, "due_at": self.clock()},
                visible=False,
                due_at=job.due_at,
            )
            for job in lost
        ]
        rescued = [job for job in self.store.update_all(updates) if isinstance(job, Job)]
        self.queue.send_all([OutgoingMessage(job.id, job_message(job).body()) for job in rescued])
        for job in rescued:
            logger.warning("job queued again", extra=log_fields(job_message(job), rescue=job.rescues))
        count("JobsRescued", len(rescued))

    def _fail(self, hopeless: list[Job]) -> None:
        ended = []
        for job in hopeless:
            message = f"the job's message was lost {MAX_RESCUES + 1} times"
            error = JobError(code="lost", message=message, attempts=job.attempts)
            update = failed(job_message(job), error)
            (outcome,) = self.store.update_all([update])
            logger.error("lost job failed", extra=outcome_fields(update, outcome))
            if isinstance(outcome, Job):
                ended.append(outcome)
        count("JobsLost", len(ended))
        count_failed(ended)
