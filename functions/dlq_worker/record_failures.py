"""Write failures to the table: those that a worker reported, and those that no worker could."""

import contextlib
from typing import Any

from functions.common.endings import count_failed, count_resolved, ending
from functions.common.errors import Poison
from functions.common.job import Job
from functions.common.messages import FailureMessage, JobMessage, ResultMessage, parse
from functions.common.observability import count, logger
from functions.common.store import Change, JobStore, failed, resolved

BODY_SHOWN = 2000
"""Characters of an unreadable body that the log keeps."""


def record_failures(records: list[dict[str, Any]], store: JobStore, max_receives: int) -> set[str]:
    """End each message's job as `error`. Returns the ids of the messages that must come again.

    A message that the redrive policy brought from the jobs queue has no reason: its worker crashed or
    ran out of time on each of `max_receives` receives. One that it brought from the results queue still
    holds the result, which is recorded now. One that names no job has nobody to tell: it goes into the
    log, whole enough to act on.
    """
    changes: list[tuple[str, Change]] = []
    for record in records:
        try:
            change = _outcome(record["body"], max_receives)
        except Poison as reason:
            extra = {"reason": str(reason), "body": record["body"][:BODY_SHOWN]}
            logger.error("poisoned message dropped", extra=extra)
            count("PoisonedMessages")
        else:
            changes.append((record["messageId"], change))
    applied = store.change_all([change for _, change in changes])
    again = set()
    for (message_id, change), outcome in zip(changes, applied, strict=True):
        logger.warning("failure recorded", extra=ending(change, outcome))
        if outcome == "failed":
            again.add(message_id)
    ended = [outcome for outcome in applied if isinstance(outcome, Job)]
    count_failed([job for job in ended if job.status == "error"])
    count_resolved([job for job in ended if job.status == "resolved"])
    return again


def _outcome(body: str, max_receives: int) -> Change:
    """What a dead letter says of its job. Raises Poison if it names none."""
    with contextlib.suppress(Poison):
        return failed(parse(FailureMessage, body))
    with contextlib.suppress(Poison):
        return resolved(parse(ResultMessage, body))
    message = parse(JobMessage, body)
    crashed = FailureMessage(
        job_id=message.job_id,
        owner=message.owner,
        run=message.run,
        correlation_id=message.correlation_id,
        code="crashed",
        message=f"the work was begun {max_receives} times and never reported back",
        attempts=max_receives,
    )
    return failed(crashed)
