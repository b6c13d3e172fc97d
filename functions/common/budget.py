"""Budgets: counters in the ledger from which all workers take units."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from functions.common.clock import Clock
from functions.common.errors import RateLimited
from functions.common.ledger import Ledger, Share, Window

MARGIN_MS = 10_000
"""A third party may not say when its window ends. Our window starts when a unit is taken, theirs when the
request arrives. If it arrives, this is within the deadline of one exchange."""

SHARES = 64
"""Counters of what callers have used in a window. Callers whose digests share a counter share its limit."""


class ShareUsedUp(RateLimited):
    """Units remain in the window, but not for these callers."""


@dataclass(frozen=True)
class Limits:
    """A budget as deployed: `limit` units per window of `seconds`, of which one caller can take `share`."""

    limit: int
    seconds: int
    share: int


@dataclass(frozen=True)
class SharedBudget:
    """Takes units from the counter. Every write is conditional, so no unit is spent twice.

    What remains in the window's last sixth is for every caller.
    """

    name: str
    limits: Limits
    ledger: Ledger
    clock: Clock

    def spend(self, callers: Sequence[str]) -> int:
        """Take one unit of the current window, or open a new one. Return how many units remain.

        It is charged to the first of the callers (digests) whose share is not used up. Raises RateLimited if
        no unit remains, or ShareUsedUp if none remains for any of them.
        """
        shares = list(dict.fromkeys(map(_share_name, callers)))
        remaining = self._take(shares)
        if remaining is None:
            remaining = self._open_window(self.limits.limit - 1, {shares[0]: 1})
        if remaining is None:  # another worker has just opened a window
            remaining = self._take(shares)
        if remaining is None:
            raise self._limit_reached()
        return remaining

    def correct(self, reported: int | None) -> None:
        """Lower the counter if the third party reports fewer remaining units.

        Never raise it: a late response would return units that other workers have spent since.
        """
        if reported is not None:
            self.ledger.lower_remaining(self.name, reported, self.clock())

    def exhaust(self) -> int:
        """Record that the third party has no units left. Return when to retry (epoch ms)."""
        self._open_window(0, {})
        self.ledger.lower_remaining(self.name, 0, self.clock())
        return self.resets_at()

    def resets_at(self) -> int:
        """Return when the current window ends (epoch ms), or the current time without a window."""
        window = self.ledger.window(self.name)
        return window.resets_at if window else self.clock()

    def _take(self, shares: list[str]) -> int | None:
        for name in shares:
            now = self.clock()
            share = Share(name, self.limits.share, ends_at=now + self._last_sixth_ms)
            remaining = self.ledger.take_unit(self.name, now, share)
            if remaining is not None:
                return remaining
        return None

    def _limit_reached(self) -> RateLimited:
        """Return the error that says when a caller who could not take a unit may try again."""
        window = self.ledger.window(self.name)
        if window is not None and window.remaining:
            return ShareUsedUp(window.resets_at - self._last_sixth_ms)
        return RateLimited(window.resets_at if window else self.clock())

    @property
    def _last_sixth_ms(self) -> int:
        return 1000 * self.limits.seconds // 6

    def _open_window(self, remaining: int, shares: dict[str, int]) -> int | None:
        now = self.clock()
        end = now + 1000 * self.limits.seconds + MARGIN_MS
        window = Window(self.limits.limit, remaining, end)
        return self.ledger.open_window(self.name, window, now, shares)


def _share_name(caller: str) -> str:
    """Return the name of a caller's counter."""
    return f"s{crc32(caller.encode()) % SHARES}"
