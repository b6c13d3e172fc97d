"""Change an existing job on behalf of a caller: cancel it or retry it."""

from collections.abc import Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.access import find_job
from functions.common.caller import caller_of
from functions.common.errors import Problem
from functions.common.identity import Identity
from functions.common.job import Job
from functions.common.messages import job_message, log_fields
from functions.common.observability import count, logger
from functions.common.queues import Queue
from functions.common.store import JobStore
from functions.common.wake import wake_up


@dataclass(frozen=True)
class JobChanger:
    """Changes jobs in the table, and queues those that are retried in the queue of their kind.

    `salt` is that of the digests of callers' addresses.
    """

    store: JobStore
    queues: Mapping[str, Queue]
    salt: str

    def cancel(self, job_id: str, identity: Identity) -> Job:
        """End a caller's pending job. A worker that has started it will find that it has ended.

        Raises Problem 404, or 409 if the job has ended already.
        """
        job = find_job(self.store, job_id, identity)
        cancelled = self.store.cancel(job) if job.status == "pending" else None
        if cancelled is None:
            raise Problem(409, "only a pending job can be cancelled; this one has ended")
        count("JobsCancelled")
        fields = log_fields(job_message(cancelled), version=cancelled.version, **operator_fields(identity))
        logger.info("job cancelled", extra=fields)
        return cancelled

    def retry(self, job_id: str, identity: Identity, address: str) -> Job:
        """Make a caller's job that ended in `error` or was cancelled pending again, with no attempts.

        Raises Problem 404, 409 if the job is pending or resolved, or of a kind that does not exist any more,
        or 503 if it could not be queued. In that case it is pending, and the watchdog will queue it.
        """
        job = find_job(self.store, job_id, identity)
        if job.kind not in self.queues:
            raise Problem(409, f"there are no jobs of kind {job.kind} any more, so it cannot be retried")
        caller = caller_of(job.owner, address, self.salt)
        reopened = self.store.reopen(job, caller) if job.status in ("error", "cancelled") else None
        if reopened is None:
            raise Problem(409, "only a job that ended in error or was cancelled can be retried")
        message = job_message(reopened)
        try:
            first = wake_up(reopened, reopened.updated_at)
            self.queues[job.kind].send(first.body, first.delay, first.group)
        except (BotoCoreError, ClientError) as error:
            logger.exception("job not queued", extra=log_fields(message))
            raise Problem(
                503, "the job is pending again, but its work may start some minutes late"
            ) from error
        count("JobsRetriedByCallers")
        fields = log_fields(message, version=reopened.version, **operator_fields(identity))
        logger.info("job reopened", extra=fields)
        return reopened


def operator_fields(identity: Identity) -> dict[str, str]:
    """Return which operator changes a job, for logs."""
    return {"operator": identity.subject} if identity.is_operator else {}
