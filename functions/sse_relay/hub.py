"""The subscriptions, and the path from one change to all streams that want it.

A change goes to the streams of its owner and to those of all owners, which operators open. It is encoded once
and written directly to the descriptors of its streams; changes that arrive together are written together. The
last changes are kept in a ring: a new stream is first sent its backlog as read from the table, then what the
ring has received since that read started, and then receives live changes. A client that resumes from an event
of this relay needs only what the ring has received since.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import attrgetter

from functions.sse_relay.audience import Audience
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
TICKS_PER_SECOND = 1_000_000
_OWNER = attrgetter("owner")


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

    Each change has a position: the time at which it was published, in microseconds since the hub was created,
    or one more than the last position if that is not higher. Clients see the positions of their changes, and
    a count of changes would tell an owner how many the others have.
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
        self._created_at = clock()
        self._last_position = 0
        self._audiences: dict[str | None, Audience] = {}
        """By owner. That of all owners is at None."""
        self._ring = Ring(ring_size, ring_bytes)
        self._versions: OrderedDict[str, _Version] = OrderedDict()
        self.deliveries = 0
        """Writes of a change to a stream."""

    @property
    def position(self) -> int:
        """Return the current position: changes that were published have at most this one, later ones more."""
        return max(self._last_position, int((self.clock() - self._created_at) * TICKS_PER_SECOND))

    def start(self, stream: Stream, backlog: Backlog) -> bool:
        """Send the backlog and the changes since, each job only forwards, and then every new change.

        Jobs of the backlog that the stream may not see are left out. Returns False if the ring no longer
        holds all changes since the backlog was read.
        """
        since = self._ring.since(stream.owner, backlog.position)
        if since is None:
            return False
        versions: dict[str, int] = {}
        changes = []
        for change in [*backlog.changes, *since]:
            if stream.wants(change) and change.version > versions.get(change.job_id, 0):
                versions[change.job_id] = change.version
                changes.append(change)
        if changes:  # the client that has received the last one has received everything up to now
            changes[-1] = self._with_position(changes[-1], self.position)
        if backlog.changes and self._is_ahead(backlog):
            stream.backlog_versions = backlog.versions
        stream.send_backlog([change.chunk for change in changes])
        self.join(stream)
        return True

    def join(self, stream: Stream) -> None:
        """Send every new change that the stream wants."""
        if stream.is_open:
            if stream.owner not in self._audiences:
                self._audiences[stream.owner] = Audience()
            self._audiences[stream.owner].add(stream)

    def resume(self, cursor: Cursor, owner: str | None) -> Backlog | None:
        """Return the backlog of a client that has received an event of this relay.

        Returns None if it was not an event of this relay, or the ring no longer holds what followed.
        """
        if cursor.relay != self.relay or cursor.position is None or cursor.position > self.position:
            return None
        if cursor.position < self._ring.complete_from(owner):
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
            new_changes.append(change)
        # an owner's changes get adjacent positions, which say nothing about those of others in between
        numbered = enumerate(sorted(new_changes, key=_OWNER), start=self.position + 1)
        new_changes = [self._keep(change, position) for position, change in numbered]
        for owner, owned in groupby(new_changes, key=_OWNER):
            self._send(owner, list(owned), now, is_repeat=is_repeat)
        self._send(None, new_changes, now, is_repeat=is_repeat)
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

    def position_before(self, seconds: float, owner: str) -> int:
        """Return the position as it was `seconds` ago, or that of the owner's oldest change in the ring."""
        return max(self.position - int(seconds * TICKS_PER_SECOND), self._ring.complete_from(owner))

    def feed_written_at(self, stream: Stream) -> float:
        """Return when the streams of all jobs that this stream belongs to were last written to."""
        audience = self._audiences.get(stream.owner)
        return audience.written_at if audience else 0.0

    def caught_up(self, stream: Stream) -> None:
        """Use the fast path for a stream with nothing pending. Called by the stream's connection."""
        if audience := self._audiences.get(stream.owner):
            audience.caught_up(stream)

    def remove(self, stream: Stream) -> None:
        """Stop sending to the stream."""
        if audience := self._audiences.get(stream.owner):
            audience.remove(stream)
            if audience.is_empty:
                del self._audiences[stream.owner]

    def _keep(self, change: JobChange, position: int) -> JobChange:
        """Give a change its position, and keep it for streams that start or resume."""
        self._last_position = position
        numbered = self._with_position(change, position)
        self._ring.append(position, numbered)
        return numbered

    def _send(self, owner: str | None, changes: list[JobChange], now: float, *, is_repeat: bool) -> None:
        if changes and (audience := self._audiences.get(owner)):
            self.deliveries += audience.send(changes, now, is_repeat=is_repeat)

    def _with_position(self, change: JobChange, position: int) -> JobChange:
        return change.with_id(event_id(change.updated_at, self.relay, position))

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
