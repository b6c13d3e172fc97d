"""Find pending jobs whose message is lost, queue them again, and give up on them in the end.

A job that only waits its turn is not lost. Two things tell them apart, and either is enough:

- the jobs queue is empty, so there is no message that could be the job's;
- messages that were sent long after the job's own was due have been received already (the watermark).

A job that is taken for lost by mistake costs a message that changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from functions.common.attributes import to_attribute
from functions.common.clock import Clock
from functions.common.endings import count_failed, ending
from functions.common.job import PUBLIC_OWNER, Job, shards
from functions.common.ledger import read_watermark
from functions.common.messages import about, message_of
from functions.common.observability import count, logger
from functions.common.queues import Outgoing, Queue
from functions.common.store import Change, JobStore

MAX_RESCUES = 3
PER_SHARD = 100
"""Jobs that one run looks at in each shard of the index; the next run sees the rest."""


@dataclass(frozen=True)
class JobWatchdog:
    """`grace`: seconds that a job may be late before anybody asks why."""

    dynamodb: Any
    jobs_table: str
    ledger_table: str
    store: JobStore
    queue: Queue
    grace: int
    clock: Clock

    def run(self) -> None:
        """Look once. Raises botocore's errors; the next run looks again."""
        late = list(self._late())
        lost = self._lost(late)
        hopeless = [job for job in lost if job.rescues >= MAX_RESCUES]
        self._give_up(hopeless)
        self._queue_again([job for job in lost if job not in hopeless])
        count("JobsLate", len(late))
        logger.info("looked", extra={"late": len(late), "lost": len(lost), "given_up": len(hopeless)})

    def _late(self) -> Iterator[Job]:
        """Pending jobs past their time. The index says which, the table what they are now."""
        latest = self.clock() - 1000 * self.grace
        for shard in shards(PUBLIC_OWNER):
            answer = self.dynamodb.query(
                TableName=self.jobs_table,
                IndexName="by-due",
                KeyConditionExpression="list_shard = :shard AND due_at <= :latest",
                ExpressionAttributeValues={":shard": to_attribute(shard), ":latest": to_attribute(latest)},
                Limit=PER_SHARD,
            )
            jobs = self.store.get_many(item["id"]["S"] for item in answer["Items"])
            yield from (job for job in jobs.values() if job.due_at is not None and job.due_at <= latest)

    def _lost(self, late: list[Job]) -> list[Job]:
        if not late or self.queue.is_empty():
            return late
        watermark = read_watermark(self.dynamodb, self.ledger_table)
        return [job for job in late if (job.due_at or 0) + 1000 * self.grace < watermark]

    def _queue_again(self, lost: list[Job]) -> None:
        """Note it first: should the send fail, the job is found again when the grace is over once more."""
        changes = [
            Change(
                message_of(job),
                {"rescues": job.rescues + 1, "due_at": self.clock()},
                visible=False,
                due_at=job.due_at,
            )
            for job in lost
        ]
        noted = self.store.change_all(changes)
        again = [job for job in noted if isinstance(job, Job)]
        self.queue.send_all([Outgoing(job.id, message_of(job).body()) for job in again])
        for job in again:
            logger.warning("job queued again", extra=about(message_of(job), rescue=job.rescues))
        count("JobsRescued", len(again))

    def _give_up(self, hopeless: list[Job]) -> None:
        ended = []
        for job in hopeless:
            message = f"its message was lost {MAX_RESCUES + 1} times"
            error = {"code": "lost", "message": message, "attempts": job.attempts}
            change = Change(message_of(job), {"status": "error", "error": error, "deferred_until": None})
            (outcome,) = self.store.change_all([change])
            logger.error("job given up", extra=ending(change, outcome))
            if isinstance(outcome, Job):
                ended.append(outcome)
        count("JobsLost", len(ended))
        count_failed(ended)
