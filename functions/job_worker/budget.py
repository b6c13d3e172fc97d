"""The rate budget: a counter in the ledger from which all workers take requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from functions.common.clock import Clock
from functions.common.errors import RateLimited
from functions.common.ledger import Budget, Ledger, Share

MARGIN_MS = 10_000
"""Unsplash does not say when its window ends. Our window starts with its first request, Unsplash's when that
request arrives there. If it arrives, this is within the deadline of one exchange."""


SHARES = 64
"""Counters of what callers have used in a window. Callers whose digests share a counter share its limit."""


class ShareUsedUp(RateLimited):
    """Requests remain in the window, but not for these callers."""


@dataclass(frozen=True)
class RateBudget:
    """Takes requests from the counter. Every write is conditional, so no request is spent twice.

    A caller can take `share_limit` requests of a window. What remains in the window's last sixth is for
    everyone.
    """

    ledger: Ledger
    limit: int
    window_seconds: int
    share_limit: int
    clock: Clock

    def spend(self, callers: Sequence[str]) -> int:
        """Take one request from the current window, or open a new one. Return how many requests remain.

        It is charged to the first of the callers (digests) whose share is not used up. Raises RateLimited if
        no request remains, or ShareUsedUp if none remains for any of them.
        """
        shares = list(dict.fromkeys(map(_share_name, callers)))
        remaining = self._take(shares)
        if remaining is None:
            remaining = self._open_window(self.limit - 1, {shares[0]: 1})
        if remaining is None:  # another worker has just opened a window
            remaining = self._take(shares)
        if remaining is None:
            raise self._limit_reached()
        return remaining

    def correct(self, reported: int | None) -> None:
        """Lower the counter if the third party reports fewer remaining requests.

        Never raise it: a late response would return requests that other workers have spent since.
        """
        if reported is not None:
            self.ledger.lower_remaining(reported, self.clock())

    def exhaust(self) -> int:
        """Record that the third party has no requests left. Return when to retry (epoch ms)."""
        self._open_window(0, {})
        self.ledger.lower_remaining(0, self.clock())
        return self.resets_at()

    def resets_at(self) -> int:
        """Return when the current window ends (epoch ms), or the current time if there is no window."""
        budget = self.ledger.budget()
        return budget.resets_at if budget else self.clock()

    def _take(self, shares: list[str]) -> int | None:
        for name in shares:
            now = self.clock()
            share = Share(name, self.share_limit, ends_at=now + self._last_sixth_ms)
            remaining = self.ledger.take_request(now, share)
            if remaining is not None:
                return remaining
        return None

    def _limit_reached(self) -> RateLimited:
        """Return the error that says when a caller who could not take a request may try again."""
        budget = self.ledger.budget()
        if budget is not None and budget.remaining:
            return ShareUsedUp(budget.resets_at - self._last_sixth_ms)
        return RateLimited(budget.resets_at if budget else self.clock())

    @property
    def _last_sixth_ms(self) -> int:
        return 1000 * self.window_seconds // 6

    def _open_window(self, remaining: int, shares: dict[str, int]) -> int | None:
        now = self.clock()
        end = now + 1000 * self.window_seconds + MARGIN_MS
        return self.ledger.open_window(Budget(self.limit, remaining, end), now, shares)


def _share_name(caller: str) -> str:
    """Return the name of a caller's counter."""
    return f"s{crc32(caller.encode()) % SHARES}"
