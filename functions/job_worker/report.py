"""What becomes of a message once its outcome is known:

    success        → results queue
    permanent      → dead-letter queue, with the reason
    transient      → the message comes again after a backoff; after three attempts like permanent
    rate limited   → a delayed copy takes the message's place; no attempt is used up

A message is done only when its successor is safely sent, so whatever dies in between, one is left.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from functions.common.clock import Clock
from functions.common.errors import RateLimited, Transient, WorkError
from functions.common.job import Job
from functions.common.messages import FailureMessage, JobMessage, ResultMessage, about, message_of
from functions.common.observability import count, logger
from functions.common.queues import Outgoing, Queue
from functions.common.store import Change, JobStore

MAX_ATTEMPTS = 3
MAX_DELAY = 900
"""Seconds; what SQS can delay a message. A longer wait takes several hops."""
SPREAD = 5
"""Seconds over which waiting jobs come back, so that they do not all come at once."""

Outcome = ResultMessage | WorkError | RateLimited


@dataclass(frozen=True)
class Received:
    """A message of the batch and the job that it is about."""

    message_id: str
    receipt_handle: str
    message: JobMessage
    job: Job


@dataclass(frozen=True)
class _Piles:
    successes: list[tuple[Received, ResultMessage]] = field(default_factory=list)
    failures: list[tuple[Received, WorkError]] = field(default_factory=list)
    retries: list[tuple[Received, WorkError]] = field(default_factory=list)
    waits: list[tuple[Received, RateLimited]] = field(default_factory=list)


@dataclass(frozen=True)
class Reporter:
    """Sends outcomes on. `retry_seconds` is the middle of the first retry's wait, doubled with each one."""

    store: JobStore
    jobs: Queue
    results: Queue
    dead_letters: Queue
    retry_seconds: int
    clock: Clock
    uniform: Callable[[float, float], float] = random.uniform

    def report(self, outcomes: list[tuple[Received, Outcome]]) -> set[str]:
        """Send every outcome on. Returns the ids of the messages that must come again."""
        piles = _sort(outcomes)
        again = self.results.send_all([_success(one, result) for one, result in piles.successes])
        again |= self.dead_letters.send_all([_failure(one, error) for one, error in piles.failures])
        again |= self._wait(piles.waits)
        again |= self._retry(piles.retries)
        count("JobsWorked", len(piles.successes))
        count("JobsRetried", len(piles.retries))
        return again

    def _retry(self, retries: list[tuple[Received, WorkError]]) -> set[str]:
        """Note the attempt in the table, where a delayed or repeated message finds it, and back off."""
        changes = []
        for one, error in retries:
            middle = self.retry_seconds * 2**one.job.attempts
            seconds = round(self.uniform(0.5 * middle, 1.5 * middle))
            attempt = {"attempts": one.job.attempts + 1, "due_at": self.clock() + 1000 * seconds}
            changes.append(Change(one.message, attempt, visible=False))
            self.jobs.retry_in(one.receipt_handle, seconds)
            failure = {"code": error.code, "reason": error.message, "again_in": seconds}
            logger.warning("attempt failed", extra={**_story(one), **failure})
        self.store.change_all(changes)
        return {one.message_id for one, _ in retries}

    def _wait(self, waits: list[tuple[Received, RateLimited]]) -> set[str]:
        """Publish until when the job waits, then put a delayed copy in the message's place."""
        now = self.clock()
        changes = [
            Change(one.message, {"deferred_until": wait.retry_at, "due_at": wait.retry_at})
            for one, wait in waits
            if one.job.deferred_until != wait.retry_at
        ]
        self.store.change_all(changes)
        count("JobsDeferred", len(changes))  # a hop of a wait is no new one
        copies = []
        for one, wait in waits:
            seconds = (wait.retry_at - now) / 1000 + self.uniform(0, SPREAD)
            copy = message_of(one.job).body()
            copies.append(Outgoing(one.message_id, copy, min(MAX_DELAY, max(1, ceil(seconds)))))
            logger.info("waits for the rate limit", extra={**_story(one), "deferred_until": wait.retry_at})
        return self.jobs.send_all(copies)


def _sort(outcomes: list[tuple[Received, Outcome]]) -> _Piles:
    piles = _Piles()
    for one, outcome in outcomes:
        if isinstance(outcome, ResultMessage):
            piles.successes.append((one, outcome))
        elif isinstance(outcome, RateLimited):
            piles.waits.append((one, outcome))
        elif isinstance(outcome, Transient) and one.job.attempts + 1 < MAX_ATTEMPTS:
            piles.retries.append((one, outcome))
        else:
            piles.failures.append((one, outcome))
    return piles


def _success(one: Received, result: ResultMessage) -> Outgoing:
    logger.info("job worked", extra=_story(one))
    return Outgoing(one.message_id, result.body())


def _failure(one: Received, error: WorkError) -> Outgoing:
    logger.error("job failed", extra={**_story(one), "code": error.code, "reason": error.message})
    message = FailureMessage(
        job_id=one.job.id,
        owner=one.job.owner,
        run=one.job.run,
        correlation_id=one.job.correlation_id,
        code=error.code,
        message=error.message,
        attempts=one.job.attempts + 1,
    )
    return Outgoing(one.message_id, message.body())


def _story(one: Received) -> dict[str, object]:
    return about(message_of(one.job), attempt=one.job.attempts + 1, version=one.job.version)
