"""A hub and clients over socket pairs, whose other ends a test reads."""

import json
import re
import socket
from math import inf

from functions.common.job import PUBLIC_OWNER
from functions.sse_relay.http.poll import Poll
from functions.sse_relay.hub import Hub
from functions.sse_relay.job_change import JobChange
from functions.sse_relay.stream import Stream
from tests.relay.conftest import job_id

KERNEL_BYTES = 4096


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Client:
    """Both ends of a stream of the hub. `closed` says why it was closed."""

    def __init__(
        self,
        hub: Hub,
        poll: Poll,
        jobs: frozenset[str] | None,
        *,
        chunked: bool,
        owner: str | None = PUBLIC_OWNER,
    ) -> None:
        ours, self._theirs = socket.socketpair()
        for end in (ours, self._theirs):
            end.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        self._hub = hub
        self.closed: list[str] = []
        self.stream = Stream(
            ours,
            poll,
            owner=owner,
            jobs=jobs,
            chunked=chunked,
            address="",
            now=0.0,
            heartbeat_seconds=15,
            ends_at=840,
            expires_at=inf,
            feed_written_at=hub.feed_written_at,
            on_caught_up=hub.caught_up,
            on_half_closed=lambda _: None,
            on_closed=self._on_closed,
        )

    def _on_closed(self, stream: Stream) -> None:
        self.closed.append("too slow" if stream.too_slow else "closed")
        self._hub.remove(stream)

    def read(self) -> bytes:
        """Return the data of all events that have arrived."""
        return data_of(self.read_bytes())

    def read_bytes(self) -> bytes:
        """Return all bytes that have arrived."""
        data = b""
        try:
            while received := self._theirs.recv(65536):
                data += received
        except BlockingIOError:
            pass
        return data

    def read_all(self) -> bytes:
        """Return all bytes that have arrived, and those that were pending."""
        data = self.read_bytes()
        while self.stream.is_pending:
            self.stream.on_ready(True)
            data += self.read_bytes()
        return data

    def disconnect(self) -> None:
        self._theirs.close()


class Clients:
    """A hub and its clients."""

    def __init__(self, clock: Clock, ring_size: int = 100) -> None:
        self.hub = Hub(clock, "relay", ring_size=ring_size)
        self.poll = Poll()
        self.all: list[Client] = []

    def add(
        self,
        *numbers: int,
        chunked: bool = True,
        start: bool = True,
        owner: str | None = PUBLIC_OWNER,
    ) -> Client:
        jobs = frozenset(map(job_id, numbers)) if numbers else None
        client = Client(self.hub, self.poll, jobs, chunked=chunked, owner=owner)
        self.all.append(client)
        if start:
            self.hub.join(client.stream)
        return client

    def is_fast(self, client: Client) -> bool:
        """Return whether the hub uses the fast path for a client."""
        return client.stream in self.hub._audiences[client.stream.owner]._ready.values()

    def publish(self, *changes: JobChange) -> list[JobChange]:
        return self.hub.publish(changes)

    def close(self) -> None:
        for client in self.all:
            client.stream.close()
            client.disconnect()
        self.poll.close()


EVENT = re.compile(rb"[0-9a-f]+\r\nid: [^\n]*\n(data: [^\n]*\n\n)\r\n")


def data_of(stream: bytes) -> bytes:
    """Return a stream without the frames of its chunks and the ids of its events."""
    return EVENT.sub(rb"\1", stream)


def data(*changes: JobChange) -> bytes:
    return data_of(b"".join(change.chunk for change in changes))


def ids(stream: bytes) -> list[str]:
    return [line.decode() for line in re.findall(rb"id: ([^\n]*)\n", stream)]


def states(changes: list[JobChange]) -> list[tuple[str, int]]:
    return [(change.job_id, change.version) for change in changes]


def events(stream: bytes) -> list[tuple[str, str, int]]:
    """Return id, job and version of each event."""
    matches = re.findall(rb"id: ([^\n]*)\ndata: ([^\n]*)\n\n", stream)
    jobs = [(event_id.decode(), json.loads(data)) for event_id, data in matches]
    return [(event_id, job["id"], job["version"]) for event_id, job in jobs]
