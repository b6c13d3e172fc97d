"""The history of a relay without a table: what it has published since it started."""

from collections import OrderedDict
from collections.abc import Iterable

from functions.common.clock import Clock, now_ms
from functions.sse_relay.history import MAX_BYTES, MAX_CHANGES
from functions.sse_relay.hub import Backlog, Hub
from functions.sse_relay.job_change import JobChange


class MemoryHistory:
    """Keeps the newest state of up to `max_jobs` jobs, in up to `max_bytes`."""

    def __init__(
        self, hub: Hub, max_jobs: int = 10_000, max_bytes: int = MAX_BYTES, clock: Clock = now_ms
    ) -> None:
        self._hub = hub
        self._max_jobs = max_jobs
        self._max_bytes = max_bytes
        self._bytes = 0
        self._changes: OrderedDict[str, JobChange] = OrderedDict()
        self._incomplete_until = clock()

    def remember(self, changes: Iterable[JobChange]) -> None:
        """Store the newest state of each job; drop the jobs that changed least recently."""
        for change in changes:
            if before := self._changes.pop(change.job_id, None):
                self._bytes -= len(before.chunk)
            self._changes[change.job_id] = change
            self._bytes += len(change.chunk)
            while len(self._changes) > self._max_jobs or self._bytes > self._max_bytes:
                _, oldest = self._changes.popitem(last=False)
                self._bytes -= len(oldest.chunk)
                self._incomplete_until = max(self._incomplete_until, oldest.updated_at)

    async def current(self, job_ids: Iterable[str]) -> Backlog:
        changes = [self._changes[job_id] for job_id in job_ids if job_id in self._changes]
        return Backlog(changes, self._hub.position)

    async def since(self, owner: str, start: int) -> Backlog | None:
        changes = [
            change
            for change in self._changes.values()
            if change.owner == owner and change.updated_at >= start
        ]
        if start <= self._incomplete_until or len(changes) > MAX_CHANGES:
            return None
        return Backlog(changes, self._hub.position)
