"""What was before a stream began: the present state of named jobs, and what changed since a cursor.

After a restart thousands of clients ask at once, and for much the same. So what is being read is read once
for all who want it, jobs asked for one by one are read a hundred at a time, and answers are good for a
moment: the hub adds what has come since (`Past.position`).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from functions.common.attributes import batch_get, to_attribute
from functions.common.clock import Clock, now_ms
from functions.common.job import PUBLIC_OWNER, SHARDS, Job, shards
from functions.sse_relay.change import Change, change_of
from functions.sse_relay.hub import MEMORY_SECONDS, Hub, Past

OVERLAP_MS = 10_000
"""A cursor is resumed from so much earlier: writers' clocks differ, and changes may come out of order."""
STEP_MS = 5_000
"""Cursors within a step are resumed from its beginning, and so by one reading."""
CAP = 1000
"""Changes that are sent again at most; beyond that the list is the quicker way."""
MAX_AGE_MS = 24 * 3600 * 1000
READ_BATCH = 100
"""BatchGetItem takes 100 keys."""
SIDE_BY_SIDE = 4
"""Batches read at one time; what is asked for meanwhile gathers for the next."""
INDEX_LAG_SECONDS = 5.0
"""An index follows its table by moments; what went out in so many seconds is sent again from the ring."""
KEPT_SECONDS = 1.0
"""How long an answer is good for others."""


class History(Protocol):
    """Reads what a new stream is sent first."""

    async def current(self, job_ids: Iterable[str]) -> Past:
        """The present state of those jobs that exist."""

    async def since(self, cursor: int) -> Past | None:
        """All jobs changed since the cursor (epoch ms), or None if that cannot be said."""


@dataclass(frozen=True, slots=True)
class _State:
    """A job as it was read, None if there is none; the hub's position and the loop's time before that."""

    change: Change | None
    position: int
    at: float


States = dict[str, _State]


class TableHistory:
    """From the jobs table: the by-updated index says which jobs, the table what they are now.

    `on_read` is called for each call to the table. Used from one event loop.
    """

    def __init__(
        self,
        dynamodb: Any,
        table: str,
        hub: Hub,
        clock: Clock = now_ms,
        on_read: Callable[[], None] = lambda: None,
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._hub = hub
        self._clock = clock
        self._on_read = on_read
        self._pool = ThreadPoolExecutor(2 * SHARDS, thread_name_prefix="history")
        self._slots = asyncio.Semaphore(SIDE_BY_SIDE)
        self._batch: set[str] | None = None
        self._batch_task: asyncio.Task[States] | None = None
        self._reading: dict[str, asyncio.Task[States]] = {}
        self._states: OrderedDict[str, _State] = OrderedDict()
        self._since: dict[int, tuple[float, asyncio.Task[Past | None]]] = {}

    async def current(self, job_ids: Iterable[str]) -> Past:
        self._forget(asyncio.get_running_loop().time() - KEPT_SECONDS)
        ids = list(job_ids)
        states = {one: self._states[one] for one in ids if one in self._states}
        tasks = {self._read_with_others(one) for one in ids if one not in states}
        # shielded, since others wait for the same
        for read in await asyncio.gather(*(asyncio.shield(task) for task in tasks)):
            states |= read
        wanted = [states[one] for one in ids]
        changes = sorted((one.change for one in wanted if one.change), key=lambda change: change.updated_at)
        return Past(changes, min((one.position for one in wanted), default=self._hub.position))

    async def since(self, cursor: int) -> Past | None:
        if cursor < self._clock() - MAX_AGE_MS:
            return None
        step = (cursor - OVERLAP_MS) // STEP_MS
        now = asyncio.get_running_loop().time()
        self._since = {
            key: (at, task)
            for key, (at, task) in self._since.items()
            if at > now - KEPT_SECONDS or not task.done()
        }
        if step not in self._since:
            self._since[step] = (now, asyncio.create_task(self._read_since(step * STEP_MS)))
        return await asyncio.shield(self._since[step][1])

    async def _read_since(self, start: int) -> Past | None:
        position = self._hub.position_ago(INDEX_LAG_SECONDS)
        found = await asyncio.gather(
            *(self._run(self._changed_since, shard, start) for shard in shards(PUBLIC_OWNER))
        )
        ids = [job_id for part in found for job_id in part]
        if len(ids) > CAP:
            return None
        past = await self.current(ids)
        return Past(past.changes, min(position, past.position))

    def _read_with_others(self, job_id: str) -> asyncio.Task[States]:
        """The reading that brings the job's state: one under way, or the next."""
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
                self._batch = None  # closed
            position, at = self._hub.position, asyncio.get_running_loop().time()
            try:
                changes: list[Change] = await self._run(self._read, list(ids))
            finally:
                for job_id in ids:
                    del self._reading[job_id]
        lately = self._clock() - MEMORY_SECONDS * 1000
        self._hub.shown(change for change in changes if change.updated_at > lately)
        found = {change.job_id: change for change in changes}
        states = {job_id: _State(found.get(job_id), position, at) for job_id in ids}
        for job_id, state in states.items():
            self._states[job_id] = state
            self._states.move_to_end(job_id)
        return states

    def _forget(self, before: float) -> None:
        while self._states and next(iter(self._states.values())).at < before:
            self._states.popitem(last=False)

    async def _run(self, function: Any, *arguments: Any) -> Any:
        self._on_read()
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    def _read(self, ids: list[str]) -> list[Change]:
        keys = [{"id": to_attribute(one)} for one in ids]
        return [change_of(Job.from_item(item)) for item in batch_get(self._dynamodb, self._table, keys)]

    def _changed_since(self, shard: str, start: int) -> list[str]:
        """Ids in one shard, from the newest: one more than the cap is enough to know that it is passed."""
        ids: list[str] = []
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="by-updated",
            KeyConditionExpression="list_shard = :shard AND updated_at >= :start",
            ExpressionAttributeValues={":shard": to_attribute(shard), ":start": to_attribute(start)},
            ScanIndexForward=False,
        )
        for page in pages:
            ids += [item["id"]["S"] for item in page["Items"]]
            if len(ids) > CAP:
                break
        return ids[: CAP + 1]


class MemoryHistory:
    """From what this relay has itself seen since it started: for a feed without a table behind it."""

    def __init__(self, hub: Hub, keep: int = 10_000, clock: Clock = now_ms) -> None:
        self._hub = hub
        self._keep = keep
        self._changes: OrderedDict[str, Change] = OrderedDict()
        self._forgotten_until = clock()

    def remember(self, changes: Iterable[Change]) -> None:
        """Keep the newest state of each job, for as many jobs as there is room for."""
        for change in changes:
            self._changes[change.job_id] = change
            self._changes.move_to_end(change.job_id)
            if len(self._changes) > self._keep:
                _, oldest = self._changes.popitem(last=False)
                self._forgotten_until = max(self._forgotten_until, oldest.updated_at)

    async def current(self, job_ids: Iterable[str]) -> Past:
        changes = [self._changes[one] for one in job_ids if one in self._changes]
        return Past(changes, self._hub.position)

    async def since(self, cursor: int) -> Past | None:
        start = cursor - OVERLAP_MS
        changes = [change for change in self._changes.values() if change.updated_at >= start]
        if start <= self._forgotten_until or len(changes) > CAP:
            return None
        return Past(changes, self._hub.position)
