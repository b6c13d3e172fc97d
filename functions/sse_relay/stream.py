"""An open stream of events."""

import socket
from collections.abc import Callable, Mapping, Sequence

from functions.sse_relay.http.connection import Connection
from functions.sse_relay.http.poll import Poll
from functions.sse_relay.job_change import END, EXPIRED, HEARTBEAT, JobChange, unchunk

MAX_RECEIVED = 64 * 1024
"""Bytes that a client may send after its request."""


MAX_PENDING_SECONDS = 60.0
"""How long bytes may be pending for a client. So pending bytes are at most that old."""


class Stream(Connection):
    """A connection that receives the changes of `jobs` (ids), or of all jobs if that is None.

    They are those of `owner`, or of all owners if that is None.

    Times are the event loop's, in seconds. `ends_at` is the end of its lifetime, `expires_at` that of the
    token with which it was opened. `feed_written_at(stream)` returns when the streams of all jobs were last
    written to: they share that time, because setting it on each of them would slow every event down.
    """

    __slots__ = (
        "_ends_at",
        "_expires_at",
        "_feed_written_at",
        "_heartbeat_seconds",
        "_on_half_closed",
        "_received_bytes",
        "address",
        "backlog_versions",
        "chunked",
        "jobs",
        "last_write",
        "owner",
        "pending_since",
    )

    def __init__(
        self,
        connected: socket.socket,
        poll: Poll,
        *,
        owner: str | None,
        jobs: frozenset[str] | None,
        chunked: bool,
        address: str,
        now: float,
        heartbeat_seconds: float,
        ends_at: float,
        expires_at: float,
        feed_written_at: Callable[["Stream"], float],
        on_caught_up: Callable[["Stream"], None],
        on_half_closed: Callable[["Stream"], None],
        on_closed: Callable[["Stream"], None],
    ) -> None:
        super().__init__(connected, poll, on_closed=on_closed, on_caught_up=on_caught_up)
        self.owner = owner
        self.jobs = jobs
        self.chunked = chunked
        self.address = address
        self.last_write = now
        self.backlog_versions: Mapping[str, int] | None = None
        """Versions that were sent as backlog while their change may still arrive through the feed."""
        self._received_bytes = 0
        self._heartbeat_seconds = heartbeat_seconds
        self._ends_at = ends_at
        self._expires_at = expires_at
        self._feed_written_at = feed_written_at
        self._on_half_closed = on_half_closed
        self.pending_since: float | None = None

    def received(self, data: bytes) -> None:
        """Ignore what a client sends after its request, and close the stream if it does not stop."""
        self._received_bytes += len(data)
        if self._received_bytes > MAX_RECEIVED:
            self.close()

    def received_end(self) -> None:
        """Continue to send: the client has only closed its side. If it has closed both, a write will fail."""
        self.stop_reading()
        self._on_half_closed(self)

    def wants(self, change: JobChange) -> bool:
        """Return whether the stream may see the job and asks for it."""
        may_see = self.owner is None or change.owner == self.owner
        return may_see and (self.jobs is None or change.job_id in self.jobs)

    def send(self, chunk: bytes) -> None:
        """Write one chunk."""
        self.write(chunk if self.chunked else unchunk(chunk))

    def send_backlog(self, chunks: Sequence[bytes]) -> None:
        """Write many chunks. They do not count towards the limit of pending bytes."""
        self.write_backlog(chunks if self.chunked else [unchunk(chunk) for chunk in chunks])

    def end(self) -> None:
        """End the response properly, unless the client does not read it. The client reconnects."""
        if self.is_pending:
            self.drop()
            return
        if self.chunked:
            self.write(END)
        self.limit_lingering()
        self.close()

    def drop_if_stuck(self, now: float) -> None:
        """Drop a client that has not caught up for too long. Called at each tick."""
        if not self.is_pending:
            self.pending_since = None
        elif self.pending_since is None:
            self.pending_since = now
        elif now - self.pending_since > MAX_PENDING_SECONDS:
            self.drop()

    def on_timer(self, now: float) -> float | None:
        """Send a heartbeat after silence; end the stream when its time has come.

        Returns when to be called next, or None if the stream is closed.
        """
        if self.jobs is None:
            self.last_write = max(self.last_write, self._feed_written_at(self))
        if not self.is_open:
            return None
        if now >= self._expires_at:
            self.send(EXPIRED)
        if now >= min(self._ends_at, self._expires_at):
            self.end()
            return None
        if now - self.last_write >= self._heartbeat_seconds:
            self.last_write = now
            self.send(HEARTBEAT)
        return min(self.last_write + self._heartbeat_seconds, self._ends_at, self._expires_at)
