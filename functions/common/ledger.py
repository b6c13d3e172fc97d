"""The ledger table: what is not a job. Its items, by key: the rate budget, spare photos, counts."""

from dataclasses import dataclass
from typing import Any

from functions.common.attributes import batch_get, from_item, to_attribute
from functions.common.job import STATUSES, Status

BUDGET_KEY = "budget"
COUNT_SHARDS = 8
"""Counter items an owner's counts are spread over, so that concurrent batches seldom meet."""


@dataclass(frozen=True)
class Budget:
    """Requests per window, how many are left of it, and when it ends (epoch ms)."""

    limit: int
    remaining: int
    resets_at: int


def spare_key(topic: str) -> str:
    """The item that holds a topic's unused photos."""
    return f"spare#{topic}"


def count_key(owner: str, number: int) -> str:
    """One of the items that an owner's counts are the sum of."""
    return f"count#{owner}#{number}"


def read_budget(dynamodb: Any, table: str) -> Budget | None:
    """The budget as last written; None before the first request."""
    key = {"pk": to_attribute(BUDGET_KEY)}
    item = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    if item is None:
        return None
    values = from_item(item)
    return Budget(values["request_limit"], values["remaining"], values["resets_at"])


def read_counts(dynamodb: Any, table: str, owner: str) -> dict[Status, int]:
    """How many jobs an owner has in each status: one read of a few items, whatever the number of jobs."""
    keys = [{"pk": to_attribute(count_key(owner, number))} for number in range(COUNT_SHARDS)]
    counters = [from_item(item) for item in batch_get(dynamodb, table, keys)]
    return {status: sum(counter.get(status, 0) for counter in counters) for status in STATUSES}
