"""A client whose request is being read, within limits of size and time, and answered."""

import socket
from collections.abc import Callable

from functions.sse_relay.http.connection import Connection
from functions.sse_relay.http.poll import Poll
from functions.sse_relay.http.request import END_OF_HEAD, MAX_HEAD, Refused, Request, parse_head

LINGER_SECONDS = 2.0
"""How long the client may take to close after the response. If the relay closed first with unread bytes in
its buffer, the kernel would reset the connection and the client could lose the response."""


class Visitor(Connection):
    """Reads one request and passes it to `on_request`; ignores what follows.

    `on_request` may raise Refused. A request that cannot be parsed or is refused goes to `on_refused`.
    """

    __slots__ = ("_deadline", "_head", "_on_refused", "_on_request", "address", "wants_head")

    def __init__(
        self,
        connected: socket.socket,
        poll: Poll,
        *,
        address: str,
        deadline: float,
        on_request: Callable[["Visitor", Request], None],
        on_refused: Callable[["Visitor", Refused], None],
        on_closed: Callable[["Visitor"], None],
    ) -> None:
        super().__init__(connected, poll, on_closed=on_closed)
        self.address = address
        self.wants_head = False
        """The method is HEAD: the response has no body."""
        self._on_request = on_request
        self._on_refused = on_refused
        self._head: bytearray | None = bytearray()
        self._deadline = deadline

    def received(self, data: bytes) -> None:
        if self._head is None:
            return
        searched = max(0, len(self._head) - len(END_OF_HEAD))
        self._head += data
        end = self._head.find(END_OF_HEAD, searched)
        try:
            if end < 0 and b"\n" in self._head.replace(b"\r\n", b""):
                raise Refused(400, "lines must end with CRLF")
            if end > MAX_HEAD or (end < 0 and len(self._head) > MAX_HEAD):
                raise Refused(431, f"request line and headers must be shorter than {MAX_HEAD} bytes")
            if end >= 0:
                head, self._head = bytes(self._head[: end + len(END_OF_HEAD)]), None
                request = parse_head(head)
                self.wants_head = request.method == "HEAD"
                self._on_request(self, request)
        except Refused as refused:
            self._head = None
            self._on_refused(self, refused)

    def respond(self, data: bytes, now: float) -> None:
        """Send the whole response and give the client `LINGER_SECONDS` to close."""
        self._deadline = now + LINGER_SECONDS
        self.write(data)
        if self.is_open:
            self.finish()

    def detach(self) -> socket.socket:
        """Return the socket for another connection object. This one does nothing any more."""
        self.descriptor = -1
        return self.socket

    def on_timer(self, now: float) -> float | None:
        """Close after the deadline. Returns when to be called next, or None."""
        if self.is_open and now >= self._deadline:
            self.close()
        return self._deadline if self.is_open else None
