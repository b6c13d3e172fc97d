"""The ledger table: budgets, counts of jobs, and small items of kinds and webhooks. Jobs are not in it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from functions.common.attributes import Item, from_item, to_attribute
from functions.common.job import STATUSES, Status
from functions.common.marks import (
    CODE_PREFIX,
    COUNT_SHARDS,
    KIND_PREFIX,
    Mark,
    Move,
    count_key,
    mark_key,
    mark_writes,
    parse_mark,
)
from functions.common.minutes import last_minutes, minutes_key, shown_blocks
from functions.common.table import Items, Table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


BUDGET_PREFIX = "budget#"


@dataclass(frozen=True)
class Window:
    """Units that a budget allows per window, units remaining in this one, and when it ends (epoch ms)."""

    limit: int
    remaining: int
    resets_at: int


@dataclass(frozen=True)
class Share:
    """What one caller may take of a window: `limit` units, unless the window ends by `ends_at` (epoch ms).

    `name` is that of its counter.
    """

    name: str
    limit: int
    ends_at: int


@dataclass(frozen=True)
class Counts:
    """Numbers of jobs: by kind and status, and of failed jobs by error code. All are above zero."""

    by_kind: dict[str, dict[Status, int]]
    codes: dict[str, int]

    @classmethod
    def of(cls, counters: list[dict[str, Any]]) -> "Counts":
        """Add up the items of an owner."""
        total: Counter[str] = Counter()
        for counter in counters:
            total.update(
                {name: n for name, n in counter.items() if name.startswith((KIND_PREFIX, CODE_PREFIX))}
            )
        by_kind: dict[str, dict[Status, int]] = {}
        codes: dict[str, int] = {}
        for name, value in sorted(total.items()):
            prefix, _, rest = name.partition("#")
            if prefix == "code" and value:
                codes[rest] = value
            elif prefix == "kind" and value:
                kind, _, status = rest.partition("#")
                by_kind.setdefault(kind, {})[cast(Status, status)] = value
        return cls(by_kind, codes)

    def by_status(self, kind: str | None = None) -> dict[Status, int]:
        """Return the number of jobs in each status, of one kind or of all."""
        kinds = self.by_kind.values() if kind is None else [self.by_kind.get(kind, {})]
        return {status: sum(counts.get(status, 0) for counts in kinds) for status in STATUSES}


class Ledger:
    """The ledger table behind a boto3 DynamoDB client. Every method may raise botocore's errors."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def items(self, kind: str) -> Items:
        """Return the items of a kind."""
        return Items(self._table, f"kind#{kind}#")

    def webhooks(self, part: Literal["delivery", "receiver", "webhook-secret"]) -> Items:
        """Return the items of a part of the webhooks."""
        return Items(self._table, f"{part}#")

    # --- budgets: one item each, which all workers share ---

    def window(self, budget: str) -> Window | None:
        """Return a budget's window as last written, or None before the first unit."""
        return _window(self._table.get(_budget_key(budget)))

    def windows(self, budgets: Iterable[str]) -> dict[str, Window]:
        """Return the windows of up to 100 budgets by name, as last written."""
        items = self._table.get_many([_budget_key(name) for name in budgets])
        return {
            item["pk"]["S"].removeprefix(BUDGET_PREFIX): window for item in items if (window := _window(item))
        }

    def take_unit(self, budget: str, now: int, share: Share) -> int | None:
        """Take one unit of the current window (`now` is epoch ms). Return how many remain.

        Return None if no window is open, no unit remains, or the caller's share is used up.
        """
        return self._update_budget(
            budget,
            "SET remaining = remaining - :one, shares.#share = if_not_exists(shares.#share, :zero) + :one",
            "resets_at > :now AND remaining > :zero AND (resets_at <= :free_for_all"
            " OR attribute_not_exists(shares.#share) OR shares.#share < :share_limit)",
            {":one": 1, ":zero": 0, ":now": now, ":free_for_all": share.ends_at, ":share_limit": share.limit},
            {"#share": share.name},
        )

    def open_window(self, budget: str, window: Window, now: int, shares: dict[str, int]) -> int | None:
        """Open a window. Return how many units remain, or None if a window is open already.

        `shares` are the units that are used already, by the name of the share.
        """
        return self._update_budget(
            budget,
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

    def lower_remaining(self, budget: str, remaining: int, now: int) -> None:
        """Lower the remaining units of the current window. Never raise them."""
        self._update_budget(
            budget,
            "SET remaining = :lower",
            "remaining > :lower AND resets_at > :now",
            {":lower": remaining, ":now": now},
        )

    def _update_budget(
        self,
        budget: str,
        update: str,
        condition: str,
        values: dict[str, Any],
        names: dict[str, str] | None = None,
    ) -> int | None:
        """Return how many units remain after the update, or None if the condition does not hold."""
        key = _budget_key(budget)
        item = self._table.update(key, update, condition, values, names=names, returns="ALL_NEW")
        return None if item is None else int(item["remaining"]["N"])

    # --- counts of jobs ---

    def counts(self, owner: str) -> "Counts":
        """Return how many jobs an owner has, or ALL_OWNERS together, with one read of a few items."""
        items = self._table.get_many([count_key(owner, shard) for shard in range(COUNT_SHARDS)])
        return Counts.of([from_item(item) for item in items])

    def marks(self, job_ids: Iterable[str]) -> dict[str, Mark]:
        """Return the existing marks of up to 100 jobs."""
        return dict(map(parse_mark, self._table.get_many([mark_key(job_id) for job_id in job_ids])))

    def move_marks(self, moves: Mapping[str, Move], pick_shard: Callable[[int], int]) -> None:
        """Move the marks of jobs and adjust the counters, in one transaction.

        Raises WriteConflict if a mark has changed since it was read.
        """
        self._table.transact(mark_writes(moves, pick_shard))

    def counts_and_minutes(self, owner: str, now: int) -> "tuple[Counts, list[dict[str, Any]]]":
        """Return an owner's counts and its last sixty minutes (`now` is epoch ms), with one read."""
        shards, blocks = range(COUNT_SHARDS), shown_blocks(now)
        keys = [count_key(owner, shard) for shard in shards]
        keys += [minutes_key(owner, shard, block) for shard in shards for block in blocks]
        counts: list[Item] = []
        minutes: list[Item] = []
        for item in self._table.get_many(keys):
            (counts if item["pk"]["S"].startswith("count#") else minutes).append(item)
        return Counts.of([from_item(item) for item in counts]), last_minutes(minutes, now)


def _budget_key(name: str) -> Item:
    return {"pk": to_attribute(f"{BUDGET_PREFIX}{name}")}


def _window(item: Item | None) -> Window | None:
    if item is None:
        return None
    values = from_item(item)
    return Window(values["request_limit"], values["remaining"], values["resets_at"])
