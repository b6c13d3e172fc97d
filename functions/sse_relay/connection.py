"""One accepted connection: its socket, and what could not be written to it yet."""

import itertools
import socket
from collections import deque
from collections.abc import Sequence

from functions.sse_relay.poll import Poll

READ_BYTES = 16 * 1024
MAX_PENDING = 256 * 1024
"""Bytes that a client may lag behind, beyond what the kernel holds for it."""
KERNEL_BYTES = 64 * 1024
"""What the kernel may hold for a client (it takes twice that); else it would go up to 4 MB."""
PARTS = 64
"""Pieces handed to one sendmsg."""


class Connection:
    """Bytes to one client. What is pending are references to bytes that all clients share.

    A subclass says what happens with bytes that come, and at the other moments of its life.
    """

    __slots__ = ("_limit", "_pending", "_poll", "_shut_when_written", "descriptor", "pending_bytes", "socket")

    def __init__(self, connected: socket.socket, poll: Poll) -> None:
        self.socket = connected
        self.descriptor = connected.fileno()
        self.pending_bytes = 0
        self._pending: deque[bytes] | None = None
        self._limit = MAX_PENDING
        self._poll = poll
        self._shut_when_written = False
        poll.watch(self.descriptor, self)

    @property
    def is_open(self) -> bool:
        return self.descriptor >= 0

    @property
    def is_pending(self) -> bool:
        """Is there something that could not be written yet?"""
        return self._pending is not None

    def received(self, data: bytes) -> None:
        """Bytes came; what is not asked for is passed over."""

    def caught_up(self) -> None:
        """All that was pending is written."""

    def overflowed(self) -> None:
        """The client lags too far behind; it is closed next."""

    def closed(self) -> None:
        """The connection is gone, whoever ended it."""

    def write(self, data: bytes) -> None:
        """Write what the kernel takes now, and keep the rest; closes a client that lags too far behind."""
        if self._pending is None:
            try:
                self.wrote(data, self.socket.send(data))
            except BlockingIOError:
                self.wrote(data, 0)
            except OSError:
                self.close()
        elif self.pending_bytes > self._limit:
            self.overflowed()
            self.close()
        else:
            self._pending.append(data)
            self.pending_bytes += len(data)

    def wrote(self, data: bytes, count: int) -> None:
        """Keep what is left of data, of which so many bytes were written."""
        if count < len(data):
            self._keep([data[count:]])

    def write_history(self, parts: Sequence[bytes]) -> None:
        """Write many pieces; how far the client lags behind for them is not held against it."""
        if not parts or not self.is_open:
            return
        if self._pending is None:
            self._keep(parts)
            self._flush()
        else:
            self._pending.extend(parts)
            self.pending_bytes += sum(map(len, parts))
        self._limit = MAX_PENDING + self.pending_bytes

    def shut(self) -> None:
        """Say that no more comes, once all is written; the client then closes."""
        if self._pending is None:
            self._shut_now()
        else:
            self._shut_when_written = True

    def close(self) -> None:
        """End it now; what is pending is thrown away."""
        if self.is_open:
            self._pending = None
            self.pending_bytes = 0
            # before the descriptor is given up, and may be another's: whoever knows it must forget it
            self._poll.forget(self.descriptor)
            self.closed()
            self.socket.close()
            self.descriptor = -1

    def on_ready(self, *, writable: bool) -> None:
        """Called by the poll."""
        if writable:
            self._flush()
        if not self.is_open:
            return
        try:
            data = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.received(data)
        else:
            self.close()

    def _keep(self, parts: Sequence[bytes]) -> None:
        self._pending = deque(parts)
        self.pending_bytes = sum(map(len, parts))
        self._poll.want_write(self.descriptor, True)

    def _flush(self) -> None:
        if self._pending is None:
            return
        while self._pending:
            try:
                count = self.socket.sendmsg(list(itertools.islice(self._pending, PARTS)))
            except BlockingIOError:
                return
            except OSError:
                self.close()
                return
            self.pending_bytes -= count
            _drop(self._pending, count)
        self._pending = None
        self._limit = MAX_PENDING
        self._poll.want_write(self.descriptor, False)
        self.caught_up()
        if self._shut_when_written:
            self._shut_now()

    def _shut_now(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()


def _drop(parts: deque[bytes], count: int) -> None:
    """Take away so many bytes from the front."""
    while count:
        first = parts.popleft()
        if count < len(first):
            parts.appendleft(first[count:])
            return
        count -= len(first)
