"""The streams that receive the changes of one owner, or of all owners, and the loop that writes to them."""

import os
from array import array
from collections.abc import Sequence

from functions.sse_relay.job_change import JobChange
from functions.sse_relay.stream import Stream


class Audience:
    """Streams that have started. Times are the event loop's."""

    __slots__ = ("_by_job", "_descriptors", "_ready", "_slow", "written_at")

    def __init__(self) -> None:
        self._ready: dict[int, Stream] = {}
        self._descriptors: array[int] | None = None
        self._slow: set[Stream] = set()
        self._by_job: dict[str, set[Stream]] = {}
        self.written_at = 0.0
        """When the streams of all jobs were last written to."""

    @property
    def is_empty(self) -> bool:
        return not (self._ready or self._slow or self._by_job)

    def add(self, stream: Stream) -> None:
        """Send to the stream from now on."""
        if stream.jobs is None:
            self._slow.add(stream)
            self.caught_up(stream)
        for job_id in stream.jobs or ():
            self._by_job.setdefault(job_id, set()).add(stream)

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

    def caught_up(self, stream: Stream) -> None:
        """Use the fast path for a stream with nothing pending."""
        if stream.is_pending or not stream.chunked:
            return
        if stream in self._slow:
            self._slow.discard(stream)
            self._ready[stream.descriptor] = stream
            self._descriptors = None

    def send(self, changes: Sequence[JobChange], now: float, *, is_repeat: bool) -> int:
        """Write the changes to the streams that want them. Return the number of writes of a change.

        If one of them is a repeat, some streams have received it in their backlog, and must not again.
        """
        return self._send_to_all(changes, now, is_repeat=is_repeat) + self._send_by_job(changes, now)

    def _send_to_all(self, changes: Sequence[JobChange], now: float, *, is_repeat: bool) -> int:
        self.written_at = now
        slow = tuple(self._slow)
        deliveries = 0
        if is_repeat:
            slow += tuple(self._ready.values())
        else:
            deliveries = len(changes) * len(self._ready)
            self._write_ready(b"".join(change.chunk for change in changes))
        for stream in slow:
            deliveries += sum(_send(stream, change) for change in changes)
            if stream.is_pending and self._ready.get(stream.descriptor) is stream:
                self._remove_ready(stream)
                self._slow.add(stream)
        return deliveries

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

    def _send_by_job(self, changes: Sequence[JobChange], now: float) -> int:
        deliveries = 0
        for change in changes:
            for stream in tuple(self._by_job.get(change.job_id, ())):
                stream.last_write = now
                deliveries += _send(stream, change)
        return deliveries


def _send(stream: Stream, change: JobChange) -> int:
    """Send a change, unless the stream's backlog contained this version. Return the number of writes."""
    if stream.backlog_versions and change.version <= stream.backlog_versions.get(change.job_id, 0):
        return 0
    stream.send(change.chunk)
    return 1
