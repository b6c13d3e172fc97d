"""The history in the jobs table.

After a restart thousands of clients ask at the same time, and mostly for the same data. Concurrent requests
for the same data share one read, single jobs are read 100 at a time, and results are reused for a short time:
the hub adds what has been published since (`Backlog.position`).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from functions.common.clock import Clock, now_ms
from functions.common.job import SHARDS, shards
from functions.common.store import READ_BATCH, JobStore
from functions.sse_relay.cursor import LATE_MS, event_id
from functions.sse_relay.history import INDEX_LAG_SECONDS, MAX_BYTES, MAX_CHANGES
from functions.sse_relay.hub import Backlog, Hub
from functions.sse_relay.job_change import JobChange

STEP_MS = 5_000
"""Cursors within one step resume from its start, and so share one read."""
CONCURRENT_BATCHES = 4
"""Requests that arrive while this many batches are being read form the next batch."""
REUSE_SECONDS = 1.0
"""How long a result is reused for other streams."""


@dataclass(frozen=True, slots=True)
class _State:
    """A job as read, or None if it does not exist; the hub's position and its time before the read."""

    change: JobChange | None
    position: int
    at: float


States = dict[str, _State]


class TableHistory:
    """Reads ids from the by-updated index and the jobs from the table. Used from one event loop.

    `on_read` is called for each call to the table.
    """

    def __init__(
        self,
        store: JobStore,
        hub: Hub,
        clock: Clock = now_ms,
        on_read: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._hub = hub
        self._clock = clock
        self._on_read = on_read
        self._pool = ThreadPoolExecutor(2 * SHARDS, thread_name_prefix="history")
        self._slots = asyncio.Semaphore(CONCURRENT_BATCHES)
        self._batch: set[str] | None = None
        self._batch_task: asyncio.Task[States] | None = None
        self._reading: dict[str, asyncio.Task[States]] = {}
        self._states: OrderedDict[str, _State] = OrderedDict()
        self._since: dict[tuple[str, int], tuple[float, asyncio.Task[Backlog | None]]] = {}

    async def current(self, job_ids: Iterable[str]) -> Backlog:
        self._discard_states(self._hub.clock() - REUSE_SECONDS)
        ids = list(job_ids)
        states = {job_id: self._states[job_id] for job_id in ids if job_id in self._states}
        tasks = {self._join_batch(job_id) for job_id in ids if job_id not in states}
        # shielded, because other streams wait for the same tasks
        for batch_states in await asyncio.gather(*(asyncio.shield(task) for task in tasks)):
            states |= batch_states
        requested = [states[job_id] for job_id in ids]
        changes = [state.change for state in requested if state.change]
        changes.sort(key=lambda change: change.updated_at)
        return Backlog(changes, min((state.position for state in requested), default=self._hub.position))

    async def since(self, owner: str, start: int) -> Backlog | None:
        step = start // STEP_MS
        now = self._hub.clock()
        self._since = {
            key: (at, task)
            for key, (at, task) in self._since.items()
            if at > now - REUSE_SECONDS or not task.done()
        }
        wanted = (owner, step)
        if wanted not in self._since:
            self._since[wanted] = (now, asyncio.create_task(self._read_since(owner, step * STEP_MS)))
        return await asyncio.shield(self._since[wanted][1])

    async def _read_since(self, owner: str, start: int) -> Backlog | None:
        position = self._hub.position_before(INDEX_LAG_SECONDS, owner)  # what the index may not have yet
        ids_by_shard = await asyncio.gather(
            *(self._run(self._changed_since, shard, start) for shard in shards(owner))
        )
        ids = [job_id for ids in ids_by_shard for job_id in ids]
        if len(ids) > MAX_CHANGES:
            return None
        backlog = await self.current(ids)
        if sum(len(change.chunk) for change in backlog.changes) > MAX_BYTES:
            return None
        return Backlog(backlog.changes, min(position, backlog.position))

    def _join_batch(self, job_id: str) -> asyncio.Task[States]:
        """Return the read that will include the job: one in progress, or the next."""
        if job_id in self._reading:
            return self._reading[job_id]
        if self._batch is None or self._batch_task is None or len(self._batch) == READ_BATCH:
            self._batch = set()
            self._batch_task = asyncio.create_task(self._read_batch(self._batch))
        self._batch.add(job_id)
        self._reading[job_id] = self._batch_task
        return self._batch_task

    async def _read_batch(self, ids: set[str]) -> States:
        async with self._slots:
            if self._batch is ids:
                self._batch = None  # later requests start another batch
            position, at = self._hub.position, self._hub.clock()
            try:
                changes: list[JobChange] = await self._run(self._read, list(ids))
            finally:
                for job_id in ids:
                    del self._reading[job_id]
        recent = self._clock() - LATE_MS  # no change arrives later than that
        self._hub.record_read(change for change in changes if change.updated_at > recent)
        by_id = {change.job_id: change for change in changes}
        states = {job_id: _State(by_id.get(job_id), position, at) for job_id in ids}
        for job_id, state in states.items():
            self._states[job_id] = state
            self._states.move_to_end(job_id)
        return states

    def _discard_states(self, before: float) -> None:
        while self._states and next(iter(self._states.values())).at < before:
            self._states.popitem(last=False)

    async def _run(self, function: Any, *arguments: Any) -> Any:
        self._on_read()
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    def _read(self, ids: list[str]) -> list[JobChange]:
        changes = map(JobChange.from_job, self._store.get_many(ids).values())
        return [change.with_id(event_id(change.updated_at, self._hub.relay)) for change in changes]

    def _changed_since(self, shard: str, start: int) -> list[str]:
        """Return ids of one shard, newest first: one more than the limit shows that it is exceeded."""
        return self._store.changed_since(shard, start, MAX_CHANGES + 1)
