"""Write successes to the table, side by side; a repeated result changes nothing."""

from typing import Any

from functions.common.endings import count_resolved, ending
from functions.common.errors import Poison
from functions.common.job import Job
from functions.common.messages import ResultMessage, parse
from functions.common.observability import logger
from functions.common.store import Change, JobStore, resolved


def record_results(records: list[dict[str, Any]], store: JobStore) -> set[str]:
    """End each result's job as `resolved`. Returns the ids of the messages that must come again."""
    again: set[str] = set()
    changes: list[tuple[str, Change]] = []
    for record in records:
        try:
            message = parse(ResultMessage, record["body"])
        except Poison as reason:
            logger.error(
                "unreadable result", extra={"message_id": record["messageId"], "reason": str(reason)}
            )
            again.add(record["messageId"])
        else:
            changes.append((record["messageId"], resolved(message)))
    applied = store.change_all([change for _, change in changes])
    for (message_id, change), outcome in zip(changes, applied, strict=True):
        logger.info("result recorded", extra=ending(change, outcome))
        if outcome == "failed":
            again.add(message_id)
    count_resolved([outcome for outcome in applied if isinstance(outcome, Job)])
    return again
