"""Write results to the jobs table in parallel. A repeated result changes nothing."""

from typing import Any

from functions.common.errors import Poison
from functions.common.job import Job
from functions.common.job_metrics import count_resolved, outcome_fields
from functions.common.messages import ResultMessage, parse
from functions.common.observability import logger
from functions.common.store import JobStore, JobUpdate, resolved


def record_results(records: list[dict[str, Any]], store: JobStore) -> set[str]:
    """End each result's job as `resolved`. Return the ids of the messages that must be redelivered."""
    retry_ids: set[str] = set()
    updates: list[tuple[str, JobUpdate]] = []
    for record in records:
        try:
            message = parse(ResultMessage, record["body"])
        except Poison as reason:
            extra = {"message_id": record["messageId"], "reason": str(reason)}
            logger.error("result not readable", extra=extra)
            retry_ids.add(record["messageId"])
        else:
            updates.append((record["messageId"], resolved(message)))
    outcomes = store.update_all([update for _, update in updates])
    for (message_id, update), outcome in zip(updates, outcomes, strict=True):
        logger.info("result recorded", extra=outcome_fields(update, outcome))
        if outcome in ("failed", "refused"):  # the dead-letter worker ends a job whose result is refused
            retry_ids.add(message_id)
    count_resolved([outcome for outcome in outcomes if isinstance(outcome, Job)])
    return retry_ids
