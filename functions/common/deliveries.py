"""The deliveries of each job's webhook, in the ledger: what was tried, and who is trying now.

One item for each job makes sure that its webhook is called by one sender at a time, and never with an ending
that is older than one that was tried before: see `claim`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from functions.common.attributes import from_item
from functions.common.job import RETENTION_SECONDS, Job
from functions.common.notice import Notice, turn_of
from functions.common.table import Items

MAX_ENTRIES = 20
"""Attempts of a job that are remembered: more than two complete deliveries."""
CLAIM_MS = 90_000
"""How long a claim lasts: longer than an attempt, even if clocks differ by a minute."""


class Entry(TypedDict):
    """One attempt. `at` is epoch ms, `answer` what the receiver answered or why it did not, for people."""

    at: int
    status: Literal["delivered", "failed"]
    answer: str


@dataclass(frozen=True)
class DeliveryState:
    """The item of a job. `turn` and `attempts` are those of the newest notice that was claimed.

    `next_at` is when the next attempt starts (epoch ms), or None if there will be none.
    """

    turn: str
    attempts: int
    entries: Sequence[Entry]
    claimed_until: int | None = None
    delivered_at: int | None = None
    next_at: int | None = None

    def is_done(self, notice: Notice) -> bool:
        """Return whether the notice is superseded: by a newer one, by its success, or by its next attempt."""
        if self.turn != notice.turn:
            return self.turn > notice.turn
        return self.delivered_at is not None or self.attempts > notice.attempts

    def requested(self, job: Job) -> int:
        """Return how often the delivery of the job's current end was requested again."""
        prefix, _, number = self.turn.rpartition("#")
        return int(number) if prefix == turn_of(job, 0).rpartition("#")[0] else 0


class Deliveries:
    """The items with the prefix `delivery#` in the ledger. Every method may raise botocore's errors."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def state(self, job_id: str) -> DeliveryState | None:
        """Return the state of a job's deliveries, or None before the first."""
        item = self._items.get(job_id)
        return None if item is None else _state(from_item(item))

    def claim(self, notice: Notice, now: int) -> DeliveryState | None:
        """Claim the next attempt of a notice for 90 seconds, unless it is done or another claim is active.

        Return the state, or None if it was not claimed.
        """
        item = self._items.update(
            notice.job.id,
            "SET turn = :turn, attempts = :attempts, claimed_until = :until, expires_at = :expires_at"
            " REMOVE delivered_at",
            "(attribute_not_exists(claimed_until) OR claimed_until <= :now) AND (attribute_not_exists(turn)"
            " OR turn < :turn"
            " OR (turn = :turn AND attempts <= :attempts AND attribute_not_exists(delivered_at)))",
            {
                ":turn": notice.turn,
                ":attempts": notice.attempts,
                ":until": now + CLAIM_MS,
                ":now": now,
                ":expires_at": now // 1000 + RETENTION_SECONDS,
            },
            returns="ALL_NEW",
        )
        return None if item is None else _state(from_item(item))

    def record(self, notice: Notice, claimed: DeliveryState, entry: Entry, next_at: int | None) -> bool:
        """Record an attempt, and release the claim. Return False if the claim had ended."""
        values: dict[str, Any] = {
            ":turn": notice.turn,
            ":until": claimed.claimed_until,
            ":attempts": notice.attempts + 1,
            ":entries": [*claimed.entries, entry][-MAX_ENTRIES:],
        }
        changes = "attempts = :attempts, entries = :entries"
        removals = "claimed_until"
        if entry["status"] == "delivered":
            changes, values[":at"] = f"{changes}, delivered_at = :at", entry["at"]
        if next_at is None:
            removals += ", next_at"
        else:
            changes, values[":next_at"] = f"{changes}, next_at = :next_at", next_at
        update = f"SET {changes} REMOVE {removals}"
        condition = "turn = :turn AND claimed_until = :until"
        return self._items.update(notice.job.id, update, condition, values) is not None


def _state(item: dict[str, Any]) -> DeliveryState:
    optional = {name: item.get(name) for name in ("claimed_until", "delivered_at", "next_at")}
    return DeliveryState(item["turn"], item["attempts"], item.get("entries", []), **optional)
