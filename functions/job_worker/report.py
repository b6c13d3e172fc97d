"""Report the outcome of each message:

    success        → results queue
    permanent      → dead-letter queue, with the reason
    transient      → the attempt is counted and the message returns when the job is due again; after the
                     kind's last attempt, like permanent
    rate limited   → a delayed copy replaces the message, or the job is parked; no attempt is counted
    not run        → a copy replaces the message; no attempt is counted
    dropped        → nothing: the job has ended in the meantime

Attempts and due times are in the table, and each is changed once: if another message about the same due time
was first, this one is deleted and has no effect. A message is deleted only after its successor has been sent.
If the worker crashes in between, one of the two remains, or the watchdog sends another (wake.py).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from functions.common.clock import Clock
from functions.common.errors import RateLimited, Transient, WorkError
from functions.common.job import Failure, Job
from functions.common.messages import (
    FailureMessage,
    JobMessage,
    ResultMessage,
    job_message,
    log_fields,
    message_fields,
)
from functions.common.observability import count, logger
from functions.common.queues import OutgoingMessage, Queue
from functions.common.store import JobStore, JobUpdate, due
from functions.common.wake import can_wait_in_queue, wake_up

MAX_BACKOFF_SECONDS = 3600
"""Longest average delay before a retry."""
SPREAD_SECONDS = 5
"""Waiting jobs return over this time, so that they do not all return at the same moment."""

NOT_RUN: Literal["not run"] = "not run"
DROPPED: Literal["dropped"] = "dropped"
Outcome = ResultMessage | WorkError | RateLimited | Literal["not run", "dropped"]


@dataclass(frozen=True)
class ReceivedJob:
    """A message of the batch, and its job. `started_at` is when the batch was read (epoch ms)."""

    message_id: str
    receipt_handle: str
    message: JobMessage
    job: Job
    started_at: int | None = None


@dataclass(frozen=True)
class _Outcomes:
    successes: list[tuple[ReceivedJob, ResultMessage]] = field(default_factory=list)
    failures: list[tuple[ReceivedJob, WorkError]] = field(default_factory=list)
    retries: list[tuple[ReceivedJob, WorkError]] = field(default_factory=list)
    waits: list[tuple[ReceivedJob, RateLimited]] = field(default_factory=list)
    not_run: list[ReceivedJob] = field(default_factory=list)


@dataclass(frozen=True)
class Reporter:
    """Sends outcomes to their queues.

    A job has `attempts` attempts. `retry_seconds` is the average backoff before the first retry. It doubles
    with each retry.
    """

    store: JobStore
    jobs: Queue
    results: Queue
    dead_letters: Queue
    attempts: int
    retry_seconds: int
    clock: Clock
    uniform: Callable[[float, float], float] = random.uniform

    def report(self, outcomes: list[tuple[ReceivedJob, Outcome]]) -> set[str]:
        """Report every outcome. Return the ids of the messages that must be redelivered."""
        by_kind = self._group(outcomes)
        retry_ids = self.results.send_all([_success(*success) for success in by_kind.successes])
        retry_ids |= self.dead_letters.send_all([_failure(*failure) for failure in by_kind.failures])
        retry_ids |= self._wait(by_kind.waits)
        retry_ids |= self._retry(by_kind.retries)
        retry_ids |= self._release(by_kind.not_run)
        count("JobsWorked", len(by_kind.successes))
        count("JobsRetried", len(by_kind.retries))
        return retry_ids

    def _retry(self, retries: list[tuple[ReceivedJob, WorkError]]) -> set[str]:
        """Count the attempts and back off. A message returns unless another has counted the same attempt."""
        updates, waits = [], []
        for received, error in retries:
            average = min(self.retry_seconds * 2**received.job.attempts, MAX_BACKOFF_SECONDS)
            seconds = round(self.uniform(0.5 * average, 1.5 * average))
            failure: Failure = {"at": self.clock(), "code": error.code, "message": error.message}
            recorded = {"failure": failure, "started_at": received.started_at}
            due_at = failure["at"] + 1000 * seconds
            values = {"attempts": received.job.attempts + 1, **recorded, **due(due_at)}
            updates.append(_update(received, values, visible=False))
            waits.append(seconds)
            extra = {"code": error.code, "reason": error.message, "retry_in": seconds}
            logger.warning("attempt failed", extra={**_attempt_fields(received), **extra})
        retry_ids = set()
        outcomes = self.store.update_all(updates)
        for (received, _), seconds, outcome in zip(retries, waits, outcomes, strict=True):
            if outcome != "unchanged":
                self.jobs.retry_in(received.receipt_handle, seconds)
                retry_ids.add(received.message_id)
        return retry_ids

    def _wait(self, waits: list[tuple[ReceivedJob, RateLimited]]) -> set[str]:
        """Publish until when each job waits. Then replace its message by a delayed copy, or park the job."""
        now = self.clock()
        updates = []
        for received, wait in waits:
            due_at = max(wait.retry_at, now) + round(1000 * self.uniform(0, SPREAD_SECONDS))
            parked = not can_wait_in_queue(due_at, now)
            values = {"deferred_until": wait.retry_at, **due(due_at, parked=parked)}
            visible = received.job.deferred_until != wait.retry_at
            updates.append(_update(received, values, visible=visible))
            extra = {**_attempt_fields(received), "deferred_until": wait.retry_at, "parked": parked}
            logger.info("job deferred by the rate limit", extra=extra)
        message_ids = {received.job.id: received.message_id for received, _ in waits}
        outcomes = dict(zip(message_ids, self.store.update_all(updates), strict=True))
        deferred = [outcome for outcome in outcomes.values() if isinstance(outcome, Job)]
        count("JobsDeferred", len(deferred))
        failed = self.jobs.send_all([wake_up(job, now) for job in deferred if not job.parked])
        failed |= {job_id for job_id, outcome in outcomes.items() if outcome in ("failed", "refused")}
        return {message_ids[job_id] for job_id in failed}

    def _release(self, not_run: list[ReceivedJob]) -> set[str]:
        """Replace the messages by copies, because the receives of a message are limited."""
        now = self.clock()
        messages = {received.job.id: received.message_id for received in not_run}
        failed = self.jobs.send_all([wake_up(received.job, now) for received in not_run])
        return {messages[job_id] for job_id in failed}

    def _group(self, outcomes: list[tuple[ReceivedJob, Outcome]]) -> _Outcomes:
        by_kind = _Outcomes()
        for received, outcome in outcomes:
            if isinstance(outcome, ResultMessage):
                by_kind.successes.append((received, outcome))
            elif isinstance(outcome, RateLimited):
                by_kind.waits.append((received, outcome))
            elif isinstance(outcome, Transient) and received.job.attempts + 1 < self.attempts:
                by_kind.retries.append((received, outcome))
            elif isinstance(outcome, WorkError):
                by_kind.failures.append((received, outcome))
            elif outcome == NOT_RUN:
                by_kind.not_run.append(received)
        return by_kind


def _update(received: ReceivedJob, values: dict[str, Any], *, visible: bool) -> JobUpdate:
    return JobUpdate(received.message, values, visible=visible, due_at=received.job.due_at)


def _success(received: ReceivedJob, result: ResultMessage) -> OutgoingMessage:
    logger.info("job succeeded", extra=_attempt_fields(received))
    return OutgoingMessage(received.message_id, replace(result, started_at=received.started_at).body())


def _failure(received: ReceivedJob, error: WorkError) -> OutgoingMessage:
    failure = {"code": error.code, "reason": error.message}
    logger.error("job failed", extra={**_attempt_fields(received), **failure})
    job = received.job
    message = FailureMessage(
        **message_fields(job),
        code=error.code,
        message=error.message,
        attempts=job.attempts + 1,
        started_at=received.started_at,
    )
    return OutgoingMessage(received.message_id, message.body())


def _attempt_fields(received: ReceivedJob) -> dict[str, object]:
    job = received.job
    return log_fields(job_message(job), attempt=job.attempts + 1, version=job.version)
