"""An accepted connection: its socket and the bytes that could not be written yet."""

import itertools
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from functions.sse_relay.http.poll import Poll

READ_BYTES = 16 * 1024
MAX_PENDING = 256 * 1024
"""Bytes that may be pending for a client, in addition to the kernel's buffer."""
KERNEL_BYTES = 64 * 1024
"""The kernel's send buffer for a client (it doubles this value). Without a limit it grows to 4 MB."""
MAX_BUFFERS = 64
"""Buffers passed to one sendmsg call."""


class Connection:
    """Writes bytes to one client without blocking. Pending bytes are references that all clients share.

    `on_caught_up(self)` is called when nothing is pending any more, `on_closed(self)` when the connection has
    been closed by either side. Subclasses override `received`.
    """

    __slots__ = (
        "_finish_when_written",
        "_limit",
        "_on_caught_up",
        "_on_closed",
        "_pending",
        "_poll",
        "descriptor",
        "pending_bytes",
        "socket",
        "too_slow",
    )

    def __init__(
        self,
        connected: socket.socket,
        poll: Poll,
        *,
        on_closed: Callable[[Any], object],
        on_caught_up: Callable[[Any], object] = lambda _: None,
    ) -> None:
        self.socket = connected
        self.descriptor = connected.fileno()
        self.pending_bytes = 0
        self.too_slow = False
        """The connection was closed because too many bytes were pending."""
        self._on_closed = on_closed
        self._on_caught_up = on_caught_up
        self._pending: deque[bytes] | None = None
        self._limit = MAX_PENDING
        self._poll = poll
        self._finish_when_written = False
        poll.watch(self.descriptor, self)

    @property
    def is_open(self) -> bool:
        return self.descriptor >= 0

    @property
    def is_pending(self) -> bool:
        """Return whether some bytes could not be written yet."""
        return self._pending is not None

    def received(self, data: bytes) -> None:
        """Handle bytes from the client. Unexpected bytes are ignored."""

    def write(self, data: bytes) -> None:
        """Write what the kernel accepts now and queue the rest. Closes a client with too much pending."""
        if self._pending is None:
            try:
                self.queue_unsent(data, self.socket.send(data))
            except BlockingIOError:
                self.queue_unsent(data, 0)
            except OSError:
                self.close()
        elif self.pending_bytes > self._limit:
            self.too_slow = True
            self.close()
        else:
            self._pending.append(data)
            self.pending_bytes += len(data)

    def queue_unsent(self, data: bytes, sent: int) -> None:
        """Queue what remains of `data` after `sent` bytes were written."""
        if sent < len(data):
            self._queue([data[sent:]])

    def write_backlog(self, buffers: Sequence[bytes]) -> None:
        """Write many buffers. They do not count towards the limit of pending bytes."""
        if not buffers or not self.is_open:
            return
        if self._pending is None:
            self._queue(buffers)
            self._flush()
        else:
            self._pending.extend(buffers)
            self.pending_bytes += sum(map(len, buffers))
        self._limit = MAX_PENDING + self.pending_bytes

    def finish(self) -> None:
        """Shut down the sending side once everything is written. The client then closes."""
        if self._pending is None:
            self._shut_down()
        else:
            self._finish_when_written = True

    def close(self) -> None:
        """Close immediately and discard pending bytes."""
        if self.is_open:
            self._pending = None
            self.pending_bytes = 0
            # before the socket is closed: the descriptor may be reused, so everyone must drop it first
            self._poll.unwatch(self.descriptor)
            self._on_closed(self)
            self.socket.close()
            self.descriptor = -1

    def on_ready(self, writable: bool) -> None:
        """Flush and read. Called by the poll."""
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

    def _queue(self, buffers: Sequence[bytes]) -> None:
        self._pending = deque(buffers)
        self.pending_bytes = sum(map(len, buffers))
        self._poll.watch_writable(self.descriptor, True)

    def _flush(self) -> None:
        if self._pending is None:
            return
        while self._pending:
            try:
                count = self.socket.sendmsg(list(itertools.islice(self._pending, MAX_BUFFERS)))
            except BlockingIOError:
                return
            except OSError:
                self.close()
                return
            self.pending_bytes -= count
            _drop_bytes(self._pending, count)
        self._pending = None
        self._limit = MAX_PENDING
        self._poll.watch_writable(self.descriptor, False)
        self._on_caught_up(self)
        if self._finish_when_written:
            self._shut_down()

    def _shut_down(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()


def _drop_bytes(buffers: deque[bytes], count: int) -> None:
    """Remove `count` bytes from the front."""
    while count:
        first = buffers.popleft()
        if count < len(first):
            buffers.appendleft(first[count:])
            return
        count -= len(first)
