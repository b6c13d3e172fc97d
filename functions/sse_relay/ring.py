"""The newest changes, within a limit of number and bytes."""

from collections import deque
from collections.abc import Iterable
from itertools import islice, takewhile

from functions.sse_relay.job_change import JobChange


class Ring:
    """Keeps changes in the order in which they were published, with the time of that (the event loop's)."""

    def __init__(self, max_changes: int, max_bytes: int) -> None:
        self._max_changes = max_changes
        self._max_bytes = max_bytes
        self._entries: deque[tuple[float, JobChange]] = deque()
        self._bytes = 0

    def extend(self, changes: Iterable[JobChange], now: float) -> None:
        """Append changes and drop the oldest ones beyond the limits."""
        for change in changes:
            self._entries.append((now, change))
            self._bytes += len(change.chunk)
        while len(self._entries) > self._max_changes or self._bytes > self._max_bytes:
            _, oldest = self._entries.popleft()
            self._bytes -= len(oldest.chunk)

    def __len__(self) -> int:
        return len(self._entries)

    def last(self, count: int) -> list[JobChange] | None:
        """Return the last `count` changes, oldest first, or None if that many are not kept."""
        size = len(self._entries)
        if count > size:
            return None
        return [change for _, change in islice(self._entries, size - count, None)]

    def count_since(self, start: float) -> int:
        """Return how many changes were published at or after `start`."""
        return sum(1 for _ in takewhile(lambda entry: entry[0] >= start, reversed(self._entries)))
