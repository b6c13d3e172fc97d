"""Create a job: write it as pending, then queue it."""

from dataclasses import dataclass
from uuid import UUID, uuid4, uuid5

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.clock import Clock
from functions.common.errors import FieldError, Problem
from functions.common.job import PUBLIC_OWNER, RETENTION_SECONDS, Job
from functions.common.messages import job_message, log_fields
from functions.common.observability import count, logger
from functions.common.queues import Queue
from functions.common.store import JobStore
from functions.create_job.job_request import JobRequest

ID_NAMESPACE = UUID("5b0c1c1e-3f0b-4c55-9f6e-2f9d1c6f8d11")
"""Namespace of the ids that are derived from idempotency keys (UUID version 5, RFC 9562)."""


@dataclass(frozen=True)
class JobIntake:
    """Writes and queues new jobs."""

    store: JobStore
    queue: Queue
    clock: Clock

    def create_job(self, request: JobRequest, key: str | None, correlation_id: str) -> Job:
        """Create a job with two calls: write it, then send its message.

        The id is derived from the idempotency key, so the table ensures that there is one job per key,
        whichever of several posts arrives first. A repeated post queues the job again while it is pending.
        This completes a post that failed between write and send. Otherwise the second message has no effect.

        Raises Problem 422 if the key was used with a different request, 503 if the job could not be queued.
        """
        job = self._new_job(request, key, correlation_id)
        if not self.store.create(job):
            job = self._existing_job(job)
            if job.status != "pending":
                return job
        self._enqueue(job)
        return job

    def _new_job(self, request: JobRequest, key: str | None, correlation_id: str) -> Job:
        now = self.clock()
        job_id = uuid4() if key is None else uuid5(ID_NAMESPACE, f"{PUBLIC_OWNER}/{key}")
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

    def _existing_job(self, job: Job) -> Job:
        existing = self.store.get(job.id)
        if existing is None:  # it expired between the two calls
            raise Problem(503, "try again later", headers={"Retry-After": "1"})
        if existing.fingerprint != job.fingerprint:
            message = "was used before with a different body; use a new key for a new job"
            raise Problem(422, f"Idempotency-Key {message}", (FieldError("Idempotency-Key", message),))
        return existing

    def _enqueue(self, job: Job) -> None:
        message = job_message(job)
        try:
            self.queue.send(message.body(), delay=job.delay_seconds)
        except (BotoCoreError, ClientError) as error:
            logger.exception("job not queued", extra=log_fields(message))
            detail = (
                "the job was created but not queued; send the request again with the same Idempotency-Key"
            )
            raise Problem(503, detail, headers={"Retry-After": "1"}) from error
        count("JobsAccepted")
        logger.info("job accepted", extra=log_fields(message, query=job.query, version=job.version))
