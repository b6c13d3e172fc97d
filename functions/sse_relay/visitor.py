"""A client until it is answered: its request is awaited, bounded in size and in time."""

import socket
from typing import Protocol

from functions.sse_relay.connection import Connection
from functions.sse_relay.poll import Poll
from functions.sse_relay.request import END_OF_HEAD, MAX_HEAD, Refused, Request, parse_head

LINGER_SECONDS = 2.0
"""After an answer, for the client to close first: closing on unread bytes would take the answer back."""


class Host(Protocol):
    """Who answers visitors."""

    def answer(self, visitor: "Visitor", request: Request) -> None:
        """Answer the request. May raise Refused."""

    def refuse(self, visitor: "Visitor", refused: Refused) -> None:
        """Answer that there is no answer."""

    def left(self, visitor: "Visitor") -> None:
        """The visitor is gone."""


class Visitor(Connection):
    """Reads one request and hands it to the host; passes over what comes after."""

    __slots__ = ("_deadline", "_head", "_host", "address", "wants_head")

    def __init__(
        self, connected: socket.socket, poll: Poll, host: Host, address: str, deadline: float
    ) -> None:
        super().__init__(connected, poll)
        self.address = address
        self.wants_head = False
        """HEAD was asked for: the answer has no body."""
        self._host = host
        self._head: bytearray | None = bytearray()
        self._deadline = deadline

    def received(self, data: bytes) -> None:
        if self._head is None:
            return
        searched = max(0, len(self._head) - len(END_OF_HEAD))
        self._head += data
        end = self._head.find(END_OF_HEAD, searched)
        try:
            if end > MAX_HEAD or (end < 0 and len(self._head) > MAX_HEAD):
                raise Refused(431, f"request line and headers must be shorter than {MAX_HEAD} bytes")
            if end >= 0:
                head, self._head = bytes(self._head[: end + len(END_OF_HEAD)]), None
                request = parse_head(head)
                self.wants_head = request.method == "HEAD"
                self._host.answer(self, request)
        except Refused as refused:
            self._head = None
            self._host.refuse(self, refused)

    def reply(self, data: bytes, now: float) -> None:
        """Send the whole answer, and wait a moment for the client to close."""
        self._deadline = now + LINGER_SECONDS
        self.write(data)
        if self.is_open:
            self.shut()

    def hand_over(self) -> socket.socket:
        """The socket, to who goes on with it. The visitor is over."""
        self.descriptor = -1
        return self.socket

    def closed(self) -> None:
        self._host.left(self)

    def due(self, now: float, _: float) -> float | None:
        """Called by the wheel: when to be called again, None if it is over. Cuts who is too slow."""
        if self.is_open and now >= self._deadline:
            self.close()
        return self._deadline if self.is_open else None
