"""Who listens to what, and the way from one change to all of them.

A change is encoded once and written straight to the transports of the streams that want it. There is no
queue and no task per stream: the transport's own buffer is the queue, and a stream whose buffer passes
its bound is dropped; it catches up when it connects again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable

from functions.sse_relay.change import END, HEARTBEAT, Change, Frame

MAX_BUFFER = 256 * 1024
"""Bytes that a stream may lag behind."""
MAX_BACKLOG = 1000
"""Changes that may come while a stream's history is being read."""
MEMORY_SECONDS = 15 * 60
"""How long versions are remembered: longer than any stream lives, so none ever sees one go backwards."""


class Stream:
    """One open stream. `jobs` are the ids it wants, None means all; `ended` is set when it is over."""

    __slots__ = ("_backlog", "_chunked", "_transport", "ended", "jobs", "last_write")

    def __init__(
        self, transport: asyncio.WriteTransport, jobs: frozenset[str] | None, *, chunked: bool, now: float
    ) -> None:
        self._transport = transport
        self._chunked = chunked
        self._backlog: list[Change] | None = []
        self.jobs = jobs
        self.ended = asyncio.Event()
        self.last_write = now

    def send(self, change: Change, now: float) -> None:
        """Write a change, or hold it back until the history before it is written."""
        if self._backlog is None:
            self.write(change.frame, now)
        elif len(self._backlog) < MAX_BACKLOG:
            self._backlog.append(change)
        else:
            self.drop()

    def write(self, frame: Frame, now: float) -> None:
        """Write bytes now; a stream that lags too far behind is dropped instead."""
        if self._transport.is_closing() or self._transport.get_write_buffer_size() > MAX_BUFFER:
            self.drop()
            return
        self._transport.write(frame.chunk if self._chunked else frame.plain)
        self.last_write = now

    def begin(self, history: Iterable[Change], now: float) -> None:
        """Write what was before, then what has come since, each job only forwards."""
        versions: dict[str, int] = {}
        for change in [*history, *(self._backlog or [])]:
            if change.version > versions.get(change.job_id, 0):
                versions[change.job_id] = change.version
                self.write(change.frame, now)
        self._backlog = None

    def end(self) -> None:
        """Let the stream go in order; the client comes back."""
        if self._chunked and not self._transport.is_closing():
            self._transport.write(END)
        self.ended.set()

    def drop(self) -> None:
        """Cut a stream that cannot keep up: what its buffer holds is thrown away."""
        self._transport.abort()
        self.ended.set()


class Hub:
    """All open streams of a relay, and the versions that went out lately."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._all: set[Stream] = set()
        self._everything: set[Stream] = set()
        self._by_job: dict[str, set[Stream]] = {}
        self._versions: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._all)

    @property
    def streams(self) -> list[Stream]:
        return list(self._all)

    def add(self, stream: Stream) -> None:
        """From here on the stream gets what it wants, first into its backlog."""
        self._all.add(stream)
        if stream.jobs is None:
            self._everything.add(stream)
        else:
            for job_id in stream.jobs:
                self._by_job.setdefault(job_id, set()).add(stream)

    def remove(self, stream: Stream) -> None:
        self._all.discard(stream)
        self._everything.discard(stream)
        for job_id in stream.jobs or ():
            streams = self._by_job.get(job_id)
            if streams is not None:
                streams.discard(stream)
                if not streams:
                    del self._by_job[job_id]

    def publish(self, change: Change, but: Stream | None = None) -> bool:
        """Send a change to all who want it (`but` has it), unless it or a newer one went out already.

        True if it was news.
        """
        now = self._clock()
        if not self._is_news(change, now):
            return False
        for stream in [*self._everything, *self._by_job.get(change.job_id, ())]:
            if stream is not but:
                stream.send(change, now)
        return True

    def heartbeat(self, silence: float) -> None:
        """Write a comment to each stream that was silent for so many seconds."""
        now = self._clock()
        for stream in self.streams:
            if now - stream.last_write >= silence:
                stream.write(HEARTBEAT, now)

    def _is_news(self, change: Change, now: float) -> bool:
        known, _ = self._versions.get(change.job_id, (0, 0.0))
        if change.version <= known:
            return False
        self._versions[change.job_id] = (change.version, now)
        self._versions.move_to_end(change.job_id)
        while now - next(iter(self._versions.values()))[1] > MEMORY_SECONDS:
            self._versions.popitem(last=False)
        return True
