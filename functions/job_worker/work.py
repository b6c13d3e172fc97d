"""Work on a batch of messages: find their jobs, run the kind's work, report every outcome."""

from dataclasses import dataclass
from typing import Any

from functions.common.clock import Clock
from functions.common.errors import Poison
from functions.common.messages import JobMessage, log_fields, parse
from functions.common.observability import logger
from functions.common.store import JobStore
from functions.common.wake import is_due
from functions.job_worker.report import ReceivedJob, Reporter
from functions.job_worker.run_work import WorkRunner


@dataclass(frozen=True)
class JobWorker:
    """Works on batches of one kind with these dependencies."""

    kind: str
    store: JobStore
    runner: WorkRunner
    reporter: Reporter
    clock: Clock

    def work(self, records: list[dict[str, Any]], seconds: float) -> set[str]:
        """Work on SQS records for `seconds` at most. Return the ids of messages that must be redelivered."""
        readable, unreadable_ids = _parse_records(records)
        received = self._pending_jobs(readable)
        return unreadable_ids | self.reporter.report(list(self.runner.run(received, seconds)))

    def _pending_jobs(self, readable: list[tuple[str, str, JobMessage]]) -> list[ReceivedJob]:
        """Return one message for each job that is pending in the message's run, and due.

        The other messages are deleted. A job that is not due has another message, or the watchdog wakes it.
        """
        now = self.clock()
        jobs = self.store.get_many(message.job_id for _, _, message in readable)
        pending: dict[str, ReceivedJob] = {}
        for message_id, receipt_handle, message in readable:
            job = jobs.get(message.job_id)
            if job is None or (job.status, job.kind, job.run) != ("pending", self.kind, message.run):
                logger.info("message ignored: job is not pending in this run", extra=log_fields(message))
                continue
            if not is_due(job, now):
                logger.info("message ignored: job is not due", extra=log_fields(message, due_at=job.due_at))
                continue
            pending.setdefault(job.id, ReceivedJob(message_id, receipt_handle, message, job, now))
        return list(pending.values())


def _parse_records(records: list[dict[str, Any]]) -> tuple[list[tuple[str, str, JobMessage]], set[str]]:
    """Return (message id, receipt handle, message) of readable records, and the ids of the others.

    Unreadable messages are redelivered until the redrive policy moves them to the dead-letter queue.
    """
    readable, unreadable_ids = [], set()
    for record in records:
        try:
            message = parse(JobMessage, record["body"])
        except Poison as reason:
            extra = {"message_id": record["messageId"], "reason": str(reason)}
            logger.error("message not readable", extra=extra)
            unreadable_ids.add(record["messageId"])
        else:
            readable.append((record["messageId"], record["receiptHandle"], message))
    return readable, unreadable_ids
