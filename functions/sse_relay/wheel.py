"""A timer wheel: what is due when, for very many entries at the price of an entry in a set each."""

from collections.abc import Iterator
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


class Wheel(Generic[Entry]):
    """Entries by the tick in which they are due. Times are of any one clock, in seconds.

    An entry is not taken out before its time; whoever gets it looks whether it still matters.
    """

    def __init__(self, now: float, tick: float = 1.0) -> None:
        self._tick = tick
        self._turned = int(now / tick)
        self._slots: dict[int, set[Entry]] = {}

    def put(self, entry: Entry, due: float) -> None:
        """Have the entry back at the first tick after `due`, and at the next one at the earliest."""
        slot = max(int(due / self._tick), self._turned) + 1
        self._slots.setdefault(slot, set()).add(entry)

    def turn(self, now: float) -> Iterator[Entry]:
        """What has become due since the last turn."""
        last = int(now / self._tick)
        while self._turned < last:
            self._turned += 1
            yield from self._slots.pop(self._turned, ())
