"""The subscriptions, and the path from one change to all streams that want it.

A change is encoded once and written directly to the descriptors of its streams; changes that arrive together
are written together. The last changes are kept in a ring: a new stream is first sent its backlog as read from
the table, then what the ring has received since that read started, and then receives live changes. A client
that resumes from an event of this relay needs only what the ring has received since.
"""

import os
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from functions.sse_relay.cursor import Cursor, event_id
from functions.sse_relay.job_change import JobChange
from functions.sse_relay.ring import Ring
from functions.sse_relay.stream import Stream

RING_SIZE = 4096
RING_BYTES = 8 * 1024 * 1024
"""The newest changes are kept, up to these limits, for streams that start or resume."""
VERSION_SECONDS = 15 * 60
"""How long versions are remembered: longer than a stream's lifetime, so none ever sees a job go backwards."""
MAX_VERSIONS = 100_000
"""Jobs whose versions are remembered."""


@dataclass(frozen=True)
class Backlog:
    """Jobs as read, oldest change first, and the hub's position before the read started."""

    changes: Sequence[JobChange]
    position: int

    @cached_property
    def versions(self) -> dict[str, int]:
        """Return the version of each job. Streams with the same backlog share the dictionary."""
        return {change.job_id: change.version for change in self.changes}


@dataclass(slots=True)
class _Version:
    """The version of a job that was published, and the one that was read for a stream's backlog."""

    published: int
    read: int
    at: float


class Hub:
    """All streams that have started, the latest changes, and the current version of each job.

    `clock` is the event loop's time. `relay` identifies this process in the ids of its events.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        relay: str,
        *,
        ring_size: int = RING_SIZE,
        ring_bytes: int = RING_BYTES,
    ) -> None:
        self.clock = clock
        self.relay = relay
        self._ready: dict[int, Stream] = {}
        self._descriptors: array[int] | None = None
        self._slow: set[Stream] = set()
        self._by_job: dict[str, set[Stream]] = {}
        self._ring = Ring(ring_size, ring_bytes)
        self._versions: OrderedDict[str, _Version] = OrderedDict()
        self._feed_written_at = 0.0
        self.position = 0
        """Changes published since the start."""
        self.deliveries = 0
        """Writes of a change to a stream."""

    def start(self, stream: Stream, backlog: Backlog) -> bool:
        """Send the backlog and the changes since, each job only forwards, and then every new change.

        Returns False if the ring no longer holds all changes since the backlog was read.
        """
        since = self._ring.last(self.position - backlog.position)
        if since is None:
            return False
        versions: dict[str, int] = {}
        changes = []
        for change in [*backlog.changes, *since]:
            if stream.wants(change.job_id) and change.version > versions.get(change.job_id, 0):
                versions[change.job_id] = change.version
                changes.append(change)
        if changes:  # the client that has received the last one has received everything up to now
            changes[-1] = self._with_position(changes[-1])
        if backlog.changes and self._is_ahead(backlog):
            stream.backlog_versions = backlog.versions
        stream.send_backlog([change.chunk for change in changes])
        if stream.is_open:
            self._subscribe(stream)
        return True

    def resume(self, cursor: Cursor) -> Backlog | None:
        """Return the backlog of a client that has received an event of this relay.

        Returns None if it was not an event of this relay, or the ring no longer holds what followed.
        """
        if cursor.relay != self.relay or cursor.position is None or cursor.position > self.position:
            return None
        if self.position - cursor.position > len(self._ring):
            return None
        return Backlog([], cursor.position)

    def publish(self, changes: Iterable[JobChange]) -> list[JobChange]:
        """Send new changes to the streams that want them. Returns those that were new, with their ids."""
        now = self.clock()
        new_changes, is_repeat = [], False
        for change in changes:
            version = self._version(change.job_id, now)
            if change.version <= version.published or change.version < version.read:
                continue
            version.published = change.version
            is_repeat = is_repeat or change.version == version.read
            self.position += 1
            new_changes.append(self._with_position(change))
        if new_changes:
            self._ring.extend(new_changes, now)
            self._send_to_all(new_changes, now, is_repeat=is_repeat)
            self._send_by_job(new_changes, now)
        return new_changes

    def record_read(self, changes: Iterable[JobChange]) -> None:
        """Record that these versions are about to be sent to some stream as its backlog.

        Older versions that arrive from now on are dropped. The same version is not, because other streams
        still wait for it.
        """
        now = self.clock()
        for change in changes:
            version = self._version(change.job_id, now)
            version.read = max(version.read, change.version)

    def position_before(self, seconds: float) -> int:
        """Return the position as it was `seconds` ago, or that of the oldest change in the ring."""
        return self.position - self._ring.count_since(self.clock() - seconds)

    def feed_written_at(self) -> float:
        """Return when the streams of all jobs were last written to."""
        return self._feed_written_at

    def caught_up(self, stream: Stream) -> None:
        """Use the fast path for a stream with nothing pending. Called by the stream's connection."""
        if stream.is_pending or not stream.chunked:
            return
        if stream in self._slow:
            self._slow.discard(stream)
            self._ready[stream.descriptor] = stream
            self._descriptors = None

    def remove(self, stream: Stream) -> None:
        """Stop sending to the stream."""
        if self._ready.get(stream.descriptor) is stream:
            self._remove_ready(stream)
        self._slow.discard(stream)
        for job_id in stream.jobs or ():
            if streams := self._by_job.get(job_id):
                streams.discard(stream)
                if not streams:
                    del self._by_job[job_id]

    def _subscribe(self, stream: Stream) -> None:
        if stream.jobs is None:
            self._slow.add(stream)
            self.caught_up(stream)
        for job_id in stream.jobs or ():
            self._by_job.setdefault(job_id, set()).add(stream)

    def _send_to_all(self, changes: list[JobChange], now: float, *, is_repeat: bool) -> None:
        """Write the changes to the streams of all jobs.

        If one of them is a repeat, some streams have received it in their backlog, and must not again.
        """
        self._feed_written_at = now
        slow = tuple(self._slow)
        if is_repeat:
            slow += tuple(self._ready.values())
        else:
            self.deliveries += len(changes) * len(self._ready)
            self._write_ready(b"".join(change.chunk for change in changes))
        for stream in slow:
            for change in changes:
                self._send(stream, change)
            if stream.is_pending and self._ready.get(stream.descriptor) is stream:
                self._remove_ready(stream)
                self._slow.add(stream)

    def _write_ready(self, data: bytes) -> None:
        """Write to every stream without pending bytes.

        The relay's speed depends on this loop, so it contains little more than the system call. It reads only
        the descriptors, which are adjacent in memory; the stream objects are not.
        """
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
                self._remove_ready(stream)
                self._slow.add(stream)
                stream.queue_unsent(data, count)

    def _remove_ready(self, stream: Stream) -> None:
        del self._ready[stream.descriptor]
        self._descriptors = None

    def _send_by_job(self, changes: list[JobChange], now: float) -> None:
        for change in changes:
            for stream in tuple(self._by_job.get(change.job_id, ())):
                stream.last_write = now
                self._send(stream, change)

    def _send(self, stream: Stream, change: JobChange) -> None:
        """Send a change, unless the stream's backlog contained this version."""
        if stream.backlog_versions and change.version <= stream.backlog_versions.get(change.job_id, 0):
            return
        stream.send(change.chunk)
        self.deliveries += 1

    def _with_position(self, change: JobChange) -> JobChange:
        return change.with_id(event_id(change.updated_at, self.relay, self.position))

    def _is_ahead(self, backlog: Backlog) -> bool:
        """Return whether a change in the backlog has not been published yet."""
        for job_id, read_version in backlog.versions.items():
            version = self._versions.get(job_id)
            if version is None or read_version > version.published:
                return True
        return False

    def _version(self, job_id: str, now: float) -> _Version:
        version = self._versions.get(job_id)
        if version is None:
            version = self._versions[job_id] = _Version(0, 0, now)
        version.at = now
        self._versions.move_to_end(job_id)
        while len(self._versions) > MAX_VERSIONS or self._oldest().at < now - VERSION_SECONDS:
            self._versions.popitem(last=False)
        return version

    def _oldest(self) -> _Version:
        return next(iter(self._versions.values()))
