"""What a new stream is sent first: the current state of its jobs, or what changed since its cursor."""

from collections.abc import Iterable
from typing import Protocol

from functions.sse_relay.hub import Backlog

MAX_CHANGES = 1000
"""Changes that are sent again. Beyond that, fetching the list is faster."""


INDEX_LAG_SECONDS = 5.0
"""An index is updated shortly after its table."""
MAX_BYTES = 8 * 1024 * 1024
"""Bytes of the changes that are sent again. A client that does not read keeps them in memory for a minute."""


class History(Protocol):
    """Reads the backlog of a new stream."""

    async def current(self, job_ids: Iterable[str]) -> Backlog:
        """Return the current state of those jobs that exist. The hub omits those of other owners."""

    async def since(self, owner: str, start: int) -> Backlog | None:
        """Return an owner's jobs changed at or after `start` (epoch ms), or None if that is not known."""
