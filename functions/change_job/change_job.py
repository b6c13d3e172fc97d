"""What a caller may do to a job that exists: cancel it, or have it tried again."""

from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.errors import Problem
from functions.common.job import Job
from functions.common.messages import about, message_of
from functions.common.observability import count, logger
from functions.common.queues import Queue
from functions.common.store import JobStore


@dataclass(frozen=True)
class JobChanger:
    """Changes jobs in the table, and queues those that are to be worked again."""

    store: JobStore
    queue: Queue

    def cancel(self, job_id: str) -> Job:
        """End a pending job; a worker that has begun it finds that it has ended.

        Raises Problem 404, or 409 if it has ended already.
        """
        job = self._known(job_id)
        cancelled = self.store.cancel(job) if job.status == "pending" else None
        if cancelled is None:
            raise Problem(409, "only a pending job can be cancelled; this one has ended")
        count("JobsCancelled")
        logger.info("job cancelled", extra=about(message_of(cancelled), version=cancelled.version))
        return cancelled

    def retry(self, job_id: str) -> Job:
        """Make a job that ended in `error` or was cancelled pending again, with all its attempts.

        Raises Problem 404, 409 if it is pending or resolved, or 503 if it could not be queued: then it
        is pending all the same, and the watchdog queues it.
        """
        job = self._known(job_id)
        reopened = self.store.reopen(job) if job.status in ("error", "cancelled") else None
        if reopened is None:
            raise Problem(409, "only a job that ended in error or was cancelled can be tried again")
        message = message_of(reopened)
        try:
            self.queue.send(message.body())
        except (BotoCoreError, ClientError) as error:
            logger.exception("job not queued", extra=about(message))
            detail = "the job is pending again, but its work may begin some minutes late"
            raise Problem(503, detail) from error
        count("JobsRetriedByCallers")
        logger.info("job reopened", extra=about(message, version=reopened.version))
        return reopened

    def _known(self, job_id: str) -> Job:
        job = self.store.get(job_id)
        if job is None:
            raise Problem(404, f"there is no job {job_id}")
        return job
