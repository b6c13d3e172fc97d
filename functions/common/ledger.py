"""The ledger table: what is not a job. Its items: the rate budget, the watermark, spare photos, counts."""

from dataclasses import dataclass
from typing import Any

from functions.common.attributes import batch_get, from_item, to_attribute
from functions.common.job import STATUSES, Status

BUDGET_KEY = "budget"
WATERMARK_KEY = "watermark"
COUNT_SHARDS = 8
"""Counter items an owner's counts are spread over, so that concurrent batches seldom meet."""


@dataclass(frozen=True)
class Budget:
    """Requests per window, how many are left of it, and when it ends (epoch ms)."""

    limit: int
    remaining: int
    resets_at: int


def spares_key(topic: str) -> str:
    """The item that holds a topic's unused photos.

    Not `spare#…`, under which earlier versions kept them as a list: while a deployment goes on, workers of
    both versions must not move one counter over two lots.
    """
    return f"spares#{topic}"


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


def read_watermark(dynamodb: Any, table: str) -> int:
    """When the newest message that a worker has received was sent (epoch ms, up to ten seconds behind)."""
    key = {"pk": to_attribute(WATERMARK_KEY)}
    item = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    return int(item["sent_at"]["N"]) if item else 0


def read_counts(dynamodb: Any, table: str, owner: str) -> dict[Status, int]:
    """How many jobs an owner has in each status: one read of a few items, whatever the number of jobs."""
    keys = [{"pk": to_attribute(count_key(owner, number))} for number in range(COUNT_SHARDS)]
    counters = [from_item(item) for item in batch_get(dynamodb, table, keys)]
    return {status: sum(counter.get(status, 0) for counter in counters) for status in STATUSES}
