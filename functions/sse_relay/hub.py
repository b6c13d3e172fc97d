"""Who listens to what, and the way from one change to all of them.

A change is encoded once and written straight to the descriptors of the streams that want it; changes that
come together go out in one write. The last changes are kept in a ring: a stream that begins is sent what
was read of the past, then what the ring has got since that reading began, and then listens.
"""

import os
from array import array
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from functions.sse_relay.change import Change
from functions.sse_relay.stream import Stream

RING = 4096
"""Changes kept for streams that are about to begin."""
MEMORY_SECONDS = 15 * 60
"""How long versions are remembered: longer than any stream lives, so none ever sees one go backwards."""
MAX_REMEMBERED = 100_000
"""Jobs whose versions are remembered at most."""


@dataclass(frozen=True, slots=True)
class Past:
    """States as they were read, oldest change first, and the hub's position before the reading began."""

    changes: Sequence[Change]
    position: int


@dataclass(slots=True)
class _Version:
    """Of one job: the version that went out, and the one that a reading has shown to some stream."""

    sent: int
    shown: int
    at: float


class Hub:
    """All streams that have begun, the changes of late, and how far each job has come."""

    def __init__(self, clock: Callable[[], float], ring: int = RING) -> None:
        self._clock = clock
        self._ready: dict[int, Stream] = {}
        self._descriptors: array[int] | None = None
        self._slow: set[Stream] = set()
        self._by_job: dict[str, set[Stream]] = {}
        self._ring: deque[Change] = deque(maxlen=ring)
        self._times: deque[float] = deque(maxlen=ring)
        self._versions: OrderedDict[str, _Version] = OrderedDict()
        self.position = 0
        """Changes that went out since the start."""
        self.feed_written_at = 0.0
        """When the streams of the whole feed were last written to."""
        self.deliveries = 0
        """Writes of a change to a stream."""

    def begin(self, stream: Stream, past: Past) -> bool:
        """Send the past and what has come since, each job only forwards; from here on the stream listens.

        False if so much has come since that it is not known any more.
        """
        missed = self.position - past.position
        if missed > len(self._ring):
            return False
        since = islice(self._ring, len(self._ring) - missed, None)
        versions: dict[str, int] = {}
        chunks = []
        for change in [*past.changes, *since]:
            if stream.wants(change.job_id) and change.version > versions.get(change.job_id, 0):
                versions[change.job_id] = change.version
                chunks.append(change.chunk)
        stream.send_history(chunks)
        if stream.is_open:
            self._add(stream)
        return True

    def publish(self, changes: Iterable[Change]) -> list[Change]:
        """Send those changes that are news to all who want them; they are returned."""
        now = self._clock()
        news = [change for change in changes if self._is_news(change, now)]
        if news:
            self._ring.extend(news)
            self._times.extend([now] * len(news))
            self.position += len(news)
            self._send_to_feed(news, now)
            self._send_by_job(news, now)
        return news

    def shown(self, changes: Iterable[Change]) -> None:
        """These states were read and are about to be sent to some streams: older ones that are still on their
        way here are dropped from now on. The same ones are not, since other streams wait for them."""
        now = self._clock()
        for change in changes:
            version = self._version(change.job_id, now)
            version.shown = max(version.shown, change.version)

    def position_ago(self, seconds: float) -> int:
        """The position before whatever went out in the last seconds, as far as the ring reaches back."""
        start = self._clock() - seconds
        late = sum(1 for _ in takewhile(lambda at: at >= start, reversed(self._times)))
        return self.position - late

    def caught_up(self, stream: Stream) -> None:
        """The stream has nothing pending: it is written to in the quick way."""
        if stream in self._slow and stream.chunked and not stream.is_pending:
            self._slow.discard(stream)
            self._ready[stream.descriptor] = stream
            self._descriptors = None

    def remove(self, stream: Stream) -> None:
        """The stream wants nothing any more."""
        if self._ready.get(stream.descriptor) is stream:
            self._leave_ready(stream)
        self._slow.discard(stream)
        for job_id in stream.jobs or ():
            if streams := self._by_job.get(job_id):
                streams.discard(stream)
                if not streams:
                    del self._by_job[job_id]

    def _add(self, stream: Stream) -> None:
        if stream.jobs is None:
            self._slow.add(stream)
            self.caught_up(stream)
        for job_id in stream.jobs or ():
            self._by_job.setdefault(job_id, set()).add(stream)

    def _send_to_feed(self, news: list[Change], now: float) -> None:
        self.deliveries += len(news) * (len(self._ready) + len(self._slow))
        self.feed_written_at = now
        slow = tuple(self._slow)
        self._send_to_ready(b"".join(change.chunk for change in news))
        for stream in slow:
            for change in news:
                stream.send(change.chunk)

    def _send_to_ready(self, data: bytes) -> None:
        """The loop that all speed depends on: nothing in it but the kernel's call. Of each stream only its
        descriptor is touched, in a row with the others': what lies far apart would have to be fetched."""
        if self._descriptors is None:
            self._descriptors = array("i", self._ready)
        size = len(data)
        for descriptor in self._descriptors:
            try:
                count = os.write(descriptor, data)
            except BlockingIOError:
                count = 0
            except OSError:
                self._ready[descriptor].close()
                continue
            if count != size:
                stream = self._ready[descriptor]
                self._leave_ready(stream)
                self._slow.add(stream)
                stream.wrote(data, count)

    def _leave_ready(self, stream: Stream) -> None:
        del self._ready[stream.descriptor]
        self._descriptors = None

    def _send_by_job(self, news: list[Change], now: float) -> None:
        for change in news:
            for stream in tuple(self._by_job.get(change.job_id, ())):
                stream.last_write = now
                stream.send(change.chunk)
                self.deliveries += 1

    def _is_news(self, change: Change, now: float) -> bool:
        version = self._version(change.job_id, now)
        if change.version <= version.sent or change.version < version.shown:
            return False
        version.sent = change.version
        return True

    def _version(self, job_id: str, now: float) -> _Version:
        version = self._versions.get(job_id)
        if version is None:
            version = self._versions[job_id] = _Version(0, 0, now)
        version.at = now
        self._versions.move_to_end(job_id)
        while len(self._versions) > MAX_REMEMBERED or self._oldest().at < now - MEMORY_SECONDS:
            self._versions.popitem(last=False)
        return version

    def _oldest(self) -> _Version:
        return next(iter(self._versions.values()))
