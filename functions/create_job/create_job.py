"""Accept a job: write it pending, then queue it."""

from dataclasses import dataclass
from uuid import UUID, uuid4, uuid5

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.clock import Clock
from functions.common.errors import FieldError, Problem
from functions.common.job import PUBLIC_OWNER, RETENTION_SECONDS, Job
from functions.common.messages import about, message_of
from functions.common.observability import count, logger
from functions.common.queues import Queue
from functions.common.store import JobStore
from functions.create_job.job_request import JobRequest

KEYED_JOBS = UUID("5b0c1c1e-3f0b-4c55-9f6e-2f9d1c6f8d11")
"""Namespace of the ids that are made from idempotency keys (UUID version 5, RFC 9562)."""


@dataclass(frozen=True)
class JobIntake:
    """Where accepted jobs go."""

    store: JobStore
    queue: Queue
    clock: Clock

    def create_job(self, request: JobRequest, key: str | None, correlation_id: str) -> Job:
        """Accept a job: two calls, the write and then the send.

        The id is derived from the idempotency key, so the table itself makes sure that one key is
        one job, whichever of several posts comes first. A repeated post queues the job again while it
        is pending: had the first one died between write and send, this completes it, and if not, the
        second message changes nothing. Raises Problem 422 for another request under a known key, 503
        if the job could not be queued.
        """
        job = self._new_job(request, key, correlation_id)
        if not self.store.create(job):
            job = self._known_job(job)
            if job.status != "pending":
                return job
        self._enqueue(job)
        return job

    def _new_job(self, request: JobRequest, key: str | None, correlation_id: str) -> Job:
        now = self.clock()
        job_id = uuid4() if key is None else uuid5(KEYED_JOBS, f"{PUBLIC_OWNER}/{key}")
        return Job(
            id=str(job_id),
            query=request.query,
            delay_seconds=request.delay_seconds,
            fingerprint=request.fingerprint,
            correlation_id=correlation_id,
            created_at=now,
            updated_at=now,
            due_at=now + request.delay_seconds * 1000,
            expires_at=now // 1000 + RETENTION_SECONDS,
        )

    def _known_job(self, job: Job) -> Job:
        known = self.store.get(job.id)
        if known is None:  # expired between the two calls
            raise Problem(503, "try again in a moment", headers={"Retry-After": "1"})
        if known.fingerprint != job.fingerprint:
            message = "was used before with another body; use a new key for a new job"
            raise Problem(422, f"Idempotency-Key {message}", (FieldError("Idempotency-Key", message),))
        return known

    def _enqueue(self, job: Job) -> None:
        message = message_of(job)
        try:
            self.queue.send(message.body(), delay=job.delay_seconds)
        except (BotoCoreError, ClientError) as error:
            logger.exception("job not queued", extra=about(message))
            detail = "the job is written but not queued; send the same Idempotency-Key again to complete it"
            raise Problem(503, detail, headers={"Retry-After": "1"}) from error
        count("JobsAccepted")
        logger.info("job accepted", extra=about(message, query=job.query, version=job.version))
