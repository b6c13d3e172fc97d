"""The rate budget: one counter in the ledger that all workers spend from."""

from dataclasses import dataclass
from typing import Any

from functions.common.attributes import to_attribute, to_item
from functions.common.clock import Clock
from functions.common.errors import RateLimited
from functions.common.ledger import BUDGET_KEY, read_budget

MARGIN_MS = 10_000
"""Unsplash does not say when its hour ends. Ours begins with the first use, before that request reaches
Unsplash and begins its own; which it does within the deadline of an exchange, or never."""


@dataclass(frozen=True)
class RateBudget:
    """Spends and corrects the counter; every write is conditional, so no request is spent twice."""

    dynamodb: Any
    table: str
    limit: int
    window_seconds: int
    clock: Clock

    def spend(self) -> int:
        """Take one request of the running window, or open a new one. Returns how many are left of it.

        Raises RateLimited.
        """
        left = self._take_one()
        if left is None:
            left = self._open_window(remaining=self.limit - 1)
        if left is None:  # another worker has just opened one
            left = self._take_one()
        if left is None:
            raise RateLimited(self.resets_at())
        return left

    def correct(self, told: int | None) -> None:
        """Believe the third party where it says that less is left.

        Never more: an answer that comes late would give back what another worker has spent since.
        """
        if told is None:
            return
        self._update(
            "SET remaining = :told",
            "remaining > :told AND resets_at > :now",
            {":told": told, ":now": self.clock()},
        )

    def exhaust(self) -> int:
        """The third party says that nothing is left. Returns when to come back (epoch ms)."""
        now = self.clock()
        self._open_window(remaining=0)
        self._update("SET remaining = :zero", "resets_at > :now", {":zero": 0, ":now": now})
        return self.resets_at()

    def resets_at(self) -> int:
        """When the running window ends (epoch ms); now, if none is running."""
        budget = read_budget(self.dynamodb, self.table)
        return budget.resets_at if budget else self.clock()

    def _take_one(self) -> int | None:
        return self._update(
            "SET remaining = remaining - :one",
            "resets_at > :now AND remaining > :zero",
            {":one": 1, ":zero": 0, ":now": self.clock()},
        )

    def _open_window(self, remaining: int) -> int | None:
        now = self.clock()
        return self._update(
            "SET remaining = :remaining, request_limit = :limit, resets_at = :end",
            "attribute_not_exists(pk) OR resets_at <= :now",
            {
                ":remaining": remaining,
                ":limit": self.limit,
                ":end": now + 1000 * self.window_seconds + MARGIN_MS,
                ":now": now,
            },
        )

    def _update(self, expression: str, condition: str, values: dict[str, int]) -> int | None:
        """What remains after the update; None if the condition does not hold."""
        try:
            answer = self.dynamodb.update_item(
                TableName=self.table,
                Key={"pk": to_attribute(BUDGET_KEY)},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_item(values),
                ReturnValues="ALL_NEW",
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return None
        return int(answer["Attributes"]["remaining"]["N"])
