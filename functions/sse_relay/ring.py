"""The newest changes, within a limit of number and bytes."""

from collections import deque
from itertools import takewhile

from functions.sse_relay.job_change import JobChange


class _Recent:
    """Changes with their positions, oldest first. None after `complete_from` is missing."""

    __slots__ = ("complete_from", "entries")

    def __init__(self, complete_from: int) -> None:
        self.entries: deque[tuple[int, JobChange]] = deque()
        self.complete_from = complete_from

    def drop_oldest(self) -> JobChange:
        self.complete_from, change = self.entries.popleft()
        return change


class Ring:
    """Keeps changes in the order of their positions, those of all owners and those of each.

    An owner is None for all owners. Reading the changes of one owner does not depend on how many the others
    have.
    """

    def __init__(self, max_changes: int, max_bytes: int) -> None:
        self._max_changes = max_changes
        self._max_bytes = max_bytes
        self._all = _Recent(0)
        self._by_owner: dict[str, _Recent] = {}
        self._bytes = 0

    def append(self, position: int, change: JobChange) -> None:
        """Append a change and drop the oldest ones beyond the limits."""
        recent = self._by_owner.get(change.owner)
        if recent is None:
            recent = self._by_owner[change.owner] = _Recent(self._all.complete_from)
        entry = (position, change)
        for entries in (self._all.entries, recent.entries):
            entries.append(entry)
        self._bytes += len(change.chunk)
        while len(self._all.entries) > self._max_changes or self._bytes > self._max_bytes:
            self._drop_oldest()

    def __len__(self) -> int:
        return len(self._all.entries)

    def complete_from(self, owner: str | None) -> int:
        """Return the position after which no change of this owner is missing."""
        return self._recent(owner).complete_from

    def since(self, owner: str | None, position: int) -> list[JobChange] | None:
        """Return an owner's changes after a position, oldest first, or None if some are no longer kept."""
        recent = self._recent(owner)
        if position < recent.complete_from:
            return None
        newer = takewhile(lambda entry: entry[0] > position, reversed(recent.entries))
        return [change for _, change in newer][::-1]

    def _recent(self, owner: str | None) -> _Recent:
        if owner is None:
            return self._all
        return self._by_owner.get(owner) or _Recent(self._all.complete_from)

    def _drop_oldest(self) -> None:
        change = self._all.drop_oldest()
        self._bytes -= len(change.chunk)
        recent = self._by_owner[change.owner]
        recent.drop_oldest()
        if not recent.entries:
            del self._by_owner[change.owner]
