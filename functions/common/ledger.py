"""The ledger table: the rate budget, the watermark, spare photos, and counts of jobs. Jobs are not in it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.common.attributes import Item, from_item, to_attribute
from functions.common.job import STATUSES, Status
from functions.common.marks import COUNT_SHARDS, Mark, count_key, mark_key, mark_writes, parse_mark
from functions.common.table import Table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

BUDGET_KEY: Item = {"pk": to_attribute("budget")}
WATERMARK_KEY: Item = {"pk": to_attribute("watermark")}
SPARES_USED_UP = "attribute_not_exists(photo_count) OR taken >= photo_count"


@dataclass(frozen=True)
class Budget:
    """Requests allowed per window, requests remaining in this window, and when it ends (epoch ms)."""

    limit: int
    remaining: int
    resets_at: int


@dataclass(frozen=True)
class SpareLot:
    """A topic's packed photos. The first `taken` of them are used already."""

    packed: bytes
    taken: int


class Ledger:
    """The ledger table behind a boto3 DynamoDB client. Every method may raise botocore's errors."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    # --- the rate budget: one item that all workers share ---

    def budget(self) -> Budget | None:
        """Return the budget as last written, or None before the first request."""
        item = self._table.get(BUDGET_KEY)
        if item is None:
            return None
        values = from_item(item)
        return Budget(values["request_limit"], values["remaining"], values["resets_at"])

    def take_request(self, now: int) -> int | None:
        """Take one request of the current window (`now` is epoch ms). Return how many remain.

        Return None if no window is open or no request remains.
        """
        return self._update_budget(
            "SET remaining = remaining - :one",
            "resets_at > :now AND remaining > :zero",
            {":one": 1, ":zero": 0, ":now": now},
        )

    def open_window(self, window: Budget, now: int) -> int | None:
        """Open a window. Return how many requests remain, or None if a window is open already."""
        return self._update_budget(
            "SET remaining = :remaining, request_limit = :limit, resets_at = :end",
            "attribute_not_exists(pk) OR resets_at <= :now",
            {":remaining": window.remaining, ":limit": window.limit, ":end": window.resets_at, ":now": now},
        )

    def lower_remaining(self, remaining: int, now: int) -> None:
        """Lower the remaining requests of the current window. Never raise them."""
        self._update_budget(
            "SET remaining = :lower",
            "remaining > :lower AND resets_at > :now",
            {":lower": remaining, ":now": now},
        )

    def _update_budget(self, update: str, condition: str, values: dict[str, int]) -> int | None:
        """Return how many requests remain after the update, or None if the condition does not hold."""
        item = self._table.update(BUDGET_KEY, update, condition, values, returns="ALL_NEW")
        return None if item is None else int(item["remaining"]["N"])

    # --- the watermark: how far the jobs queue has been read ---

    def watermark(self) -> int:
        """Return when the newest message that a worker has received was sent (epoch ms).

        The value may be up to ten seconds behind. It is 0 before the first message.
        """
        item = self._table.get(WATERMARK_KEY)
        return int(item["sent_at"]["N"]) if item else 0

    def raise_watermark(self, sent_at: int) -> None:
        """Set the watermark (epoch ms), unless it is higher already."""
        condition = "attribute_not_exists(sent_at) OR sent_at < :newest"
        self._table.update(WATERMARK_KEY, "SET sent_at = :newest", condition, {":newest": sent_at})

    # --- spare photos: one item per topic ---

    def take_spares(self, topic: str, count: int) -> SpareLot | None:
        """Mark the next `count` photos of a topic as taken.

        Return the lot as it was before, or None if no unused photos remain.
        """
        update, condition = "SET taken = taken + :count", "taken < photo_count"
        values = {":count": count}
        item = self._table.update(_spares_key(topic), update, condition, values, returns="ALL_OLD")
        return None if item is None else SpareLot(item["packed"]["B"], int(item["taken"]["N"]))

    def claim_request(self, topic: str, *, now: int, until: int, expires_at: int) -> bool:
        """Claim the request for a topic's next photos until a time (epoch ms).

        Return False if spare photos remain or another worker holds the claim. `expires_at` is epoch seconds.
        """
        return self._update_spares(
            topic,
            "SET asked_until = :until, expires_at = :expires",
            f"({SPARES_USED_UP}) AND (attribute_not_exists(asked_until) OR asked_until < :now)",
            {":until": until, ":now": now, ":expires": expires_at},
        )

    def release_claim(self, topic: str) -> None:
        """End a claim without adding photos."""
        self._update_spares(topic, "REMOVE asked_until", "attribute_exists(pk)", {})

    def replace_spares(self, topic: str, packed: bytes, count: int, expires_at: int) -> None:
        """Store `count` packed photos and end the claim, unless unused photos remain."""
        self._update_spares(
            topic,
            "SET packed = :packed, photo_count = :count, taken = :zero, expires_at = :expires"
            " REMOVE asked_until",
            SPARES_USED_UP,
            {":packed": packed, ":count": count, ":zero": 0, ":expires": expires_at},
        )

    def _update_spares(self, topic: str, update: str, condition: str, values: dict[str, Any]) -> bool:
        return self._table.update(_spares_key(topic), update, condition, values) is not None

    # --- counts of jobs by status ---

    def counts(self, owner: str) -> dict[Status, int]:
        """Return how many jobs an owner has in each status, with one read of a few items."""
        items = self._table.get_many([count_key(owner, shard) for shard in range(COUNT_SHARDS)])
        counters = [from_item(item) for item in items]
        return {status: sum(counter.get(status, 0) for counter in counters) for status in STATUSES}

    def marks(self, job_ids: Iterable[str]) -> dict[str, Mark]:
        """Return the existing marks of up to 100 jobs."""
        return dict(map(parse_mark, self._table.get_many([mark_key(job_id) for job_id in job_ids])))

    def move_marks(
        self, marks: dict[str, Mark], stored: dict[str, Mark], pick_shard: Callable[[int], int]
    ) -> None:
        """Replace `stored` marks by `marks` and adjust the counters, in one transaction.

        Raises WriteConflict if a mark has changed since it was read.
        """
        self._table.transact(mark_writes(marks, stored, pick_shard))


def _spares_key(topic: str) -> Item:
    """Return the key of the item that holds a topic's unused photos.

    It is not `spare#…`, which earlier versions use for a list of photos. During a deployment workers of
    both versions run, and must not advance one counter over two different lots.
    """
    return {"pk": to_attribute(f"spares#{topic}")}
