"""What a new stream is sent first: the current state of its jobs, or what changed since its cursor."""

from collections.abc import Iterable
from typing import Protocol

from functions.sse_relay.hub import Backlog

OVERLAP_MS = 10_000
"""How far before its cursor a stream resumes: writers' clocks differ, and changes may arrive out of order."""


def is_in_future(cursor: int, now: int) -> bool:
    """Return whether a cursor is later than clocks may differ. What came before it would never be sent."""
    return cursor > now + OVERLAP_MS


MAX_CHANGES = 1000
"""Changes that are sent again. Beyond that, fetching the list is faster."""


class History(Protocol):
    """Reads the backlog of a new stream."""

    async def current(self, job_ids: Iterable[str]) -> Backlog:
        """Return the current state of those jobs that exist."""

    async def since(self, cursor: int) -> Backlog | None:
        """Return all jobs changed since the cursor (epoch ms), or None if that is not known."""
