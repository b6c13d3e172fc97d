"""The rate budget: a counter in the ledger from which all workers take requests."""

from dataclasses import dataclass

from functions.common.clock import Clock
from functions.common.errors import RateLimited
from functions.common.ledger import Budget, Ledger

MARGIN_MS = 10_000
"""Unsplash does not say when its window ends. Our window starts with its first request, Unsplash's when that
request arrives there. If it arrives, this is within the deadline of one exchange."""


@dataclass(frozen=True)
class RateBudget:
    """Takes requests from the counter. Every write is conditional, so no request is spent twice."""

    ledger: Ledger
    limit: int
    window_seconds: int
    clock: Clock

    def spend(self) -> int:
        """Take one request from the current window, or open a new one. Return how many requests remain.

        Raises RateLimited if no request remains.
        """
        remaining = self.ledger.take_request(self.clock())
        if remaining is None:
            remaining = self._open_window(remaining=self.limit - 1)
        if remaining is None:  # another worker has just opened a window
            remaining = self.ledger.take_request(self.clock())
        if remaining is None:
            raise RateLimited(self.resets_at())
        return remaining

    def correct(self, reported: int | None) -> None:
        """Lower the counter if the third party reports fewer remaining requests.

        Never raise it: a late response would return requests that other workers have spent since.
        """
        if reported is not None:
            self.ledger.lower_remaining(reported, self.clock())

    def exhaust(self) -> int:
        """Record that the third party has no requests left. Return when to retry (epoch ms)."""
        self._open_window(remaining=0)
        self.ledger.lower_remaining(0, self.clock())
        return self.resets_at()

    def resets_at(self) -> int:
        """Return when the current window ends (epoch ms), or the current time if there is no window."""
        budget = self.ledger.budget()
        return budget.resets_at if budget else self.clock()

    def _open_window(self, remaining: int) -> int | None:
        now = self.clock()
        end = now + 1000 * self.window_seconds + MARGIN_MS
        return self.ledger.open_window(Budget(self.limit, remaining, end), now)
