"""One open stream."""

import socket
from collections.abc import Sequence
from typing import Protocol

from functions.sse_relay.change import END, HEARTBEAT, plain
from functions.sse_relay.connection import Connection
from functions.sse_relay.poll import Poll


class Owner(Protocol):
    """Whom a stream tells."""

    def caught_up(self, stream: "Stream") -> None:
        """It has written all that was pending."""

    def closed(self, stream: "Stream") -> None:
        """It is gone."""


class Stream(Connection):
    """`jobs` are the ids it wants, None means all. Times are the event loop's."""

    __slots__ = ("_owner", "_silence", "address", "chunked", "ends_at", "jobs", "last_write", "too_slow")

    def __init__(
        self,
        connected: socket.socket,
        poll: Poll,
        owner: Owner,
        *,
        jobs: frozenset[str] | None,
        chunked: bool,
        address: str,
        now: float,
        silence: float,
        ends_at: float,
    ) -> None:
        super().__init__(connected, poll)
        self.jobs = jobs
        self.chunked = chunked
        self.address = address
        self.last_write = now
        self.ends_at = ends_at
        self._silence = silence
        self.too_slow = False
        self._owner = owner

    def wants(self, job_id: str) -> bool:
        return self.jobs is None or job_id in self.jobs

    def send(self, chunk: bytes) -> None:
        """Write one chunk."""
        self.write(chunk if self.chunked else plain(chunk))

    def send_history(self, chunks: Sequence[bytes]) -> None:
        """Write chunks that are many at once by nature."""
        self.write_history(chunks if self.chunked else [plain(chunk) for chunk in chunks])

    def end(self) -> None:
        """Let the stream go in order; the client comes back."""
        if self.chunked:
            self.write(END)
        self.close()

    def due(self, now: float, feed_written_at: float) -> float | None:
        """Called by the wheel: when to be called again, None if it is over. Speaks after long silence."""
        if self.jobs is None:
            self.last_write = max(self.last_write, feed_written_at)
        if not self.is_open:
            return None
        if now >= self.ends_at:
            self.end()
            return None
        if now - self.last_write >= self._silence:
            self.last_write = now
            self.send(HEARTBEAT)
        return min(self.last_write + self._silence, self.ends_at)

    def caught_up(self) -> None:
        self._owner.caught_up(self)

    def overflowed(self) -> None:
        self.too_slow = True

    def closed(self) -> None:
        self._owner.closed(self)
