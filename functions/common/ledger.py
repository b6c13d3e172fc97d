"""The ledger table: the rate budget, spare photos, and counts of jobs. Jobs are not in it."""

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
SPARES_USED_UP = "attribute_not_exists(photo_count) OR taken >= photo_count"


@dataclass(frozen=True)
class Budget:
    """Requests allowed per window, requests remaining in this window, and when it ends (epoch ms)."""

    limit: int
    remaining: int
    resets_at: int


@dataclass(frozen=True)
class Share:
    """What one caller may take of a window: `limit` requests, unless the window ends by `ends_at` (epoch ms).

    `name` is that of its counter.
    """

    name: str
    limit: int
    ends_at: int


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

    def take_request(self, now: int, share: Share) -> int | None:
        """Take one request of the current window (`now` is epoch ms). Return how many remain.

        Return None if no window is open, no request remains, or the caller's share is used up.
        """
        return self._update_budget(
            "SET remaining = remaining - :one, shares.#share = if_not_exists(shares.#share, :zero) + :one",
            "resets_at > :now AND remaining > :zero AND (resets_at <= :free_for_all"
            " OR attribute_not_exists(shares.#share) OR shares.#share < :share_limit)",
            {":one": 1, ":zero": 0, ":now": now, ":free_for_all": share.ends_at, ":share_limit": share.limit},
            {"#share": share.name},
        )

    def open_window(self, window: Budget, now: int, shares: dict[str, int]) -> int | None:
        """Open a window. Return how many requests remain, or None if a window is open already.

        `shares` are the requests that are used already, by the name of the share.
        """
        return self._update_budget(
            "SET remaining = :remaining, request_limit = :limit, resets_at = :end, shares = :shares",
            "attribute_not_exists(pk) OR resets_at <= :now",
            {
                ":remaining": window.remaining,
                ":limit": window.limit,
                ":end": window.resets_at,
                ":shares": shares,
                ":now": now,
            },
        )

    def lower_remaining(self, remaining: int, now: int) -> None:
        """Lower the remaining requests of the current window. Never raise them."""
        self._update_budget(
            "SET remaining = :lower",
            "remaining > :lower AND resets_at > :now",
            {":lower": remaining, ":now": now},
        )

    def _update_budget(
        self, update: str, condition: str, values: dict[str, Any], names: dict[str, str] | None = None
    ) -> int | None:
        """Return how many requests remain after the update, or None if the condition does not hold."""
        item = self._table.update(BUDGET_KEY, update, condition, values, names=names, returns="ALL_NEW")
        return None if item is None else int(item["remaining"]["N"])

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

        Return False if spare photos remain, if there are none, or if another worker holds the claim.
        `expires_at` is epoch seconds.
        """
        return self._update_spares(
            topic,
            "SET asked_until = :until, expires_at = :expires",
            f"({SPARES_USED_UP}) AND (attribute_not_exists(asked_until) OR asked_until < :now)"
            " AND (attribute_not_exists(none_until) OR none_until < :now)",
            {":until": until, ":now": now, ":expires": expires_at},
        )

    def release_claim(self, topic: str) -> None:
        """End a claim without adding photos."""
        self._update_spares(topic, "REMOVE asked_until", "attribute_exists(pk)", {})

    def remember_none(self, topic: str, until: int) -> None:
        """End a claim, because the topic has no photos. Allow no claim until `until` (epoch ms)."""
        self._update_spares(
            topic, "SET none_until = :until REMOVE asked_until", "attribute_exists(pk)", {":until": until}
        )

    def has_none(self, topic: str, now: int) -> bool:
        """Return whether it is remembered that there are no photos of this topic."""
        item = self._table.get(_spares_key(topic))
        return item is not None and "none_until" in item and int(item["none_until"]["N"]) >= now

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
