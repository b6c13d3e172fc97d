"""Write failures to the jobs table: those that a worker reported, and those of unprocessed messages."""

import contextlib
from typing import Any

from functions.common.errors import Poison
from functions.common.job import Job, JobError
from functions.common.job_metrics import count_failed, count_resolved, outcome_fields
from functions.common.messages import FailureMessage, JobMessage, ResultMessage, parse
from functions.common.observability import count, logger
from functions.common.store import JobStore, JobUpdate, UpdateOutcome, failed, resolved

MAX_LOGGED_BODY = 2000
"""Characters of an unreadable body that are logged."""


def record_failures(records: list[dict[str, Any]], store: JobStore, max_receives: int) -> set[str]:
    """End each message's job as `error`. Return the ids of the messages that must be redelivered.

    The queue contains, in addition to reported failures:

    - messages that the redrive policy moved from the jobs queue. They contain no reason: the worker crashed
      or timed out on each of `max_receives` receives.
    - messages that it moved from the results queue. They still contain the result, which is recorded now.
    - messages without a job. They are logged in enough detail to act on, and dropped.
    """
    updates: list[tuple[str, JobUpdate]] = []
    for record in records:
        try:
            update = _update_of(record["body"], max_receives)
        except Poison as reason:
            extra = {"reason": str(reason), "body": record["body"][:MAX_LOGGED_BODY]}
            logger.error("unreadable message dropped", extra=extra)
            count("PoisonedMessages")
        else:
            updates.append((record["messageId"], update))
    outcomes = _record([update for _, update in updates], store)
    retry_ids = set()
    for (message_id, update), outcome in zip(updates, outcomes, strict=True):
        logger.warning("failure recorded", extra=outcome_fields(update, outcome))
        if outcome in ("failed", "refused"):
            retry_ids.add(message_id)
    ended = [outcome for outcome in outcomes if isinstance(outcome, Job)]
    count_failed([job for job in ended if job.status == "error"])
    count_resolved([job for job in ended if job.status == "resolved"])
    return retry_ids


def _record(updates: list[JobUpdate], store: JobStore) -> list[UpdateOutcome]:
    """Make the updates. A job whose update DynamoDB refuses, for example because it is too large, fails."""
    outcomes = store.update_all(updates)
    refused = [index for index, outcome in enumerate(outcomes) if outcome == "refused"]
    error = JobError(code="crashed", message="the outcome could not be stored", attempts=1)
    failures = store.update_all([failed(updates[index].message, error) for index in refused])
    for index, outcome in zip(refused, failures, strict=True):
        outcomes[index] = outcome
    return outcomes


def _update_of(body: str, max_receives: int) -> JobUpdate:
    """Return the update for a dead letter. Raises Poison if it does not name a job."""
    with contextlib.suppress(Poison):
        failure = parse(FailureMessage, body)
        return failed(failure, failure.error(), failure.started_at)
    with contextlib.suppress(Poison):
        return resolved(parse(ResultMessage, body))
    message = f"a worker started the job {max_receives} times and never reported an outcome"
    crashed = JobError(code="crashed", message=message, attempts=max_receives)
    return failed(parse(JobMessage, body), crashed)
