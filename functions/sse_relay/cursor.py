"""Where a stream resumes: the id of the last event that its client received, or the cursor of a list.

An event's id is `<time>.<relay>.<position>`: when its job changed (epoch ms), which relay process sent it,
and when that was: microseconds since the relay started, increasing with each change. A client that has
received it has received every change it may see that this relay published up to that position, in whatever
order they occurred. The id of an event from the middle of a backlog has no position, because the rest of the
backlog may still be missing.

A list's `live_cursor` is the time alone. The list was read from the table, so it contains every earlier
change, whether it has been delivered or not.
"""

import re
from dataclasses import dataclass

ID = re.compile(r"([0-9]{1,15})(?:\.([0-9a-z]{1,32})(?:\.([0-9]{1,16}))?)?")

OVERLAP_MS = 10_000
"""How far before a list's cursor a stream resumes: clocks differ, and an index is updated after its table."""
LATE_MS = 65 * 60 * 1000
"""How far before another relay's event a stream resumes: the Pipe may deliver a change an hour late
(MaximumRecordAge in infra/constructs/publishing.py), and the queues after it some minutes later."""
MAX_AGE_MS = 24 * 3600 * 1000
"""Older cursors are not served. Fetching the list is faster."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A parsed id. `relay` is empty for a list's cursor; `position` is None in the middle of a backlog."""

    time: int
    relay: str = ""
    position: int | None = None

    def start(self, now: int) -> int | None:
        """Return from when on changes may be missing (epoch ms), or None if that cannot be served.

        A cursor in the future would skip changes, except within the difference that clocks may have.
        """
        if not now - MAX_AGE_MS <= self.time <= now + OVERLAP_MS:
            return None
        return self.time - (LATE_MS if self.relay else OVERLAP_MS)


def parse(text: str) -> Cursor | None:
    """Return the cursor, or None if it is malformed."""
    match = ID.fullmatch(text)
    if match is None:
        return None
    time, relay, position = match.groups()
    return Cursor(int(time), relay or "", int(position) if position else None)


def event_id(time: int, relay: str, position: int | None = None) -> str:
    """Return the id of an event."""
    return f"{time}.{relay}" if position is None else f"{time}.{relay}.{position}"
