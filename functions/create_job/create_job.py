"""Create a job: write it as pending, then send its first wake-up."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4, uuid5

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.caller import caller_of
from functions.common.clock import Clock
from functions.common.errors import FieldError, Problem
from functions.common.job import Job
from functions.common.messages import job_message, log_fields
from functions.common.observability import count, logger
from functions.common.queues import Queue
from functions.common.store import JobStore
from functions.common.wake import Waker, wake_up
from functions.create_job.job_request import JobRequest

ID_NAMESPACE = UUID("5b0c1c1e-3f0b-4c55-9f6e-2f9d1c6f8d11")
"""Namespace of the ids that are derived from idempotency keys (UUID version 5, RFC 9562)."""


@dataclass(frozen=True)
class Caller:
    """Who creates a job: its owner, and the IP address of the request."""

    owner: str
    address: str


@dataclass(frozen=True)
class JobIntake:
    """Writes new jobs and sends their first wake-up to the queue of their kind.

    `salt` is that of the digests of callers' addresses.
    """

    store: JobStore
    queues: Mapping[str, Queue]
    clock: Clock
    salt: str

    def create_job(self, request: JobRequest, key: str | None, correlation_id: str, caller: Caller) -> Job:
        """Create a job with two calls: write it, then send its message.

        The id is derived from owner and idempotency key, so the table ensures one job per owner and key,
        whichever of several posts arrives first. A repeated post may send another wake-up, in case the first
        post failed between write and send; but no more of them than the watchdog may (wake.py).

        Raises Problem 422 if the key was used with a different request, 503 if the job could not be queued.
        """
        job = self._new_job(request, key, correlation_id, caller)
        if self.store.create(job):
            self._send_first(job, request.label)
            return job
        existing = self._existing_job(job)
        waker = Waker(self.store, self.queues[existing.kind], self.clock)
        if not existing.parked and waker.may_wake(existing) and not waker.wake([existing]):
            raise _not_queued()
        return existing

    def _new_job(self, request: JobRequest, key: str | None, correlation_id: str, caller: Caller) -> Job:
        now = self.clock()
        job_id = uuid4() if key is None else uuid5(ID_NAMESPACE, f"{caller.owner}/{key}")
        due_at = now + request.delay_seconds * 1000
        return Job(
            id=str(job_id),
            owner=caller.owner,
            kind=request.kind,
            input=request.input,
            delay_seconds=request.delay_seconds,
            fingerprint=request.fingerprint,
            correlation_id=correlation_id,
            caller=caller_of(caller.owner, caller.address, self.salt),
            created_at=now,
            updated_at=now,
            due_at=due_at,
            wake_at=due_at,
        )

    def _existing_job(self, job: Job) -> Job:
        existing = self.store.get(job.id, job.owner)
        if existing is None:  # it expired between the two calls
            raise Problem(503, "try again later", headers={"Retry-After": "1"})
        if existing.fingerprint != job.fingerprint:
            message = "was used before with a different body; use a new key for a new job"
            raise Problem(422, f"Idempotency-Key {message}", (FieldError("Idempotency-Key", message),))
        return existing

    def _send_first(self, job: Job, label: str) -> None:
        message = wake_up(job, job.created_at)
        try:
            self.queues[job.kind].send(message.body, message.delay)
        except (BotoCoreError, ClientError) as error:
            logger.exception("job not queued", extra=log_fields(job_message(job)))
            raise _not_queued() from error
        count("JobsAccepted")
        logger.info("job accepted", extra=log_fields(job_message(job), label=label, version=job.version))


def _not_queued() -> Problem:
    detail = "the job was created but not queued; send the request again with the same Idempotency-Key"
    return Problem(503, detail, headers={"Retry-After": "1"})
