"""A timer wheel: timers for many thousand entries, at the cost of one set membership each."""

from collections.abc import Iterator
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


class TimerWheel(Generic[Entry]):
    """Entries grouped by the tick in which their timer fires. Times are seconds of any one clock.

    A timer cannot be cancelled. The caller checks whether an entry that fires still matters.
    """

    def __init__(self, now: float, tick: float = 1.0) -> None:
        self._tick = tick
        self._current = int(now / tick)
        self._slots: dict[int, set[Entry]] = {}

    def add(self, entry: Entry, at: float) -> None:
        """Fire at the first tick after `at`, and at the next tick at the earliest."""
        slot = max(int(at / self._tick), self._current) + 1
        self._slots.setdefault(slot, set()).add(entry)

    def advance(self, now: float) -> Iterator[Entry]:
        """Yield the entries whose timer has fired since the last call."""
        last = int(now / self._tick)
        while self._current < last:
            self._current += 1
            yield from self._slots.pop(self._current, ())
