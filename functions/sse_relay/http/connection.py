"""An accepted connection: its socket and the bytes that could not be written yet."""

import itertools
import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from functions.sse_relay.http.poll import Poll

Buffer: TypeAlias = bytes | memoryview
"""Bytes to write. A view refers to bytes that other clients wait for too, without a copy."""
READ_BYTES = 16 * 1024
MAX_PENDING = 256 * 1024
"""Bytes that may be pending for a client, in addition to the kernel's buffer."""
KERNEL_BYTES = 32 * 1024
"""The kernel's send buffer for a client (it doubles this value). Without a limit it grows to 4 MB. The
buffers of all streams must fit into the task's memory: see STREAM_KB in infra/settings.py."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for no time. Closing discards what the kernel has buffered, and the client gets a reset."""
LINGER_MS = 5_000
"""How long a client may take to read the end of its stream."""
MAX_BUFFERS = 64
"""Buffers passed to one sendmsg call."""


class Connection:
    """Writes bytes to one client without blocking. Pending bytes are references that all clients share.

    `on_caught_up(self)` is called when nothing is pending any more, `on_closed(self)` when the connection has
    been closed by either side. Subclasses override `received` and, if they keep writing after the client has
    closed its side, `received_end`.
    """

    __slots__ = (
        "_finish_when_written",
        "_limit",
        "_on_caught_up",
        "_on_closed",
        "_pending",
        "_poll",
        "_reads",
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
        self._pending: deque[Buffer] | None = None
        self._limit = MAX_PENDING
        self._poll = poll
        self._finish_when_written = False
        self._reads = True
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

    def received_end(self) -> None:
        """Handle the end of what the client sends."""
        self.close()

    def stop_reading(self) -> None:
        """Do not read from the client any more."""
        self._reads = False
        self._poll.watch(self.descriptor, self, read=False, write=self.is_pending)

    def start_reading(self) -> None:
        """Read from the client again."""
        self._reads = True
        self._poll.watch(self.descriptor, self, write=self.is_pending)

    def write(self, data: Buffer) -> None:
        """Write what the kernel accepts now and queue the rest. Closes a client with too much pending."""
        if self._pending is None:
            try:
                self.queue_unsent(data, self.socket.send(data))
            except BlockingIOError:
                self.queue_unsent(data, 0)
            except OSError:
                self.close()
        elif self.pending_bytes > self._limit:
            self.drop()
        else:
            self._pending.append(data)
            self.pending_bytes += len(data)

    def queue_unsent(self, data: Buffer, sent: int) -> None:
        """Queue what remains of `data` after `sent` bytes were written."""
        if sent < len(data):
            self._queue([memoryview(data)[sent:]])

    def write_backlog(self, buffers: Sequence[Buffer]) -> None:
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

    def drop(self) -> None:
        """Close the connection of a client that is too slow, and release what the kernel holds for it.

        Otherwise the kernel would keep it until the client reads, and a client could collect such memory.
        """
        if self.is_open:
            self.too_slow = True
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.close()

    def limit_lingering(self) -> None:
        """Let the kernel keep what it still has to send for LINGER_MS at most after the connection is closed.

        By default it does so for minutes, and forever for a client that answers but does not read.
        """
        if self.is_open and hasattr(socket, "TCP_USER_TIMEOUT") and self.socket.family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LINGER_MS)

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
        if not self.is_open or not self._reads:
            return
        try:
            data = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        if data:
            self.received(data)
        else:
            self.received_end()

    def _queue(self, buffers: Sequence[Buffer]) -> None:
        self._pending = deque(buffers)
        self.pending_bytes = sum(map(len, buffers))
        self._poll.watch(self.descriptor, self, read=self._reads, write=True)

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
        self._poll.watch(self.descriptor, self, read=self._reads, write=False)
        self._on_caught_up(self)
        if self._finish_when_written:
            self._shut_down()

    def _shut_down(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()


def _drop_bytes(buffers: deque[Buffer], count: int) -> None:
    """Remove `count` bytes from the front."""
    while count:
        first = buffers.popleft()
        if count < len(first):
            buffers.appendleft(memoryview(first)[count:])
            return
        count -= len(first)
