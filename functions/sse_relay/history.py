"""What was before a stream began: the present state of named jobs, and what changed since a cursor."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from functions.common.attributes import batch_get, to_attribute
from functions.common.clock import Clock, now_ms
from functions.common.job import PUBLIC_OWNER, SHARDS, Job, shards
from functions.sse_relay.change import Change, change_of

OVERLAP_MS = 10_000
"""A cursor is resumed from so much earlier: writers' clocks differ, and changes may come out of order."""
CAP = 1000
"""Changes that are sent again at most; beyond that the list is the quicker way."""
MAX_AGE_MS = 24 * 3600 * 1000
READ_BATCH = 100


class History(Protocol):
    """Reads what a new stream is sent first, oldest change first."""

    async def current(self, job_ids: Iterable[str]) -> list[Change]:
        """The present state of those jobs that exist."""

    async def since(self, cursor: int) -> list[Change] | None:
        """All jobs changed since the cursor (epoch ms), or None if that cannot be said."""


class TableHistory:
    """From the jobs table: the by-updated index says which jobs, the table what they are now."""

    def __init__(self, dynamodb: Any, table: str, clock: Clock = now_ms) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._clock = clock
        self._pool = ThreadPoolExecutor(2 * SHARDS, thread_name_prefix="history")

    async def current(self, job_ids: Iterable[str]) -> list[Change]:
        ids = list(job_ids)
        parts = [ids[start : start + READ_BATCH] for start in range(0, len(ids), READ_BATCH)]
        read = await asyncio.gather(*(self._run(self._read, part) for part in parts))
        changes = [change for part in read for change in part]
        return sorted(changes, key=lambda change: change.updated_at)

    async def since(self, cursor: int) -> list[Change] | None:
        if cursor < self._clock() - MAX_AGE_MS:
            return None
        start = cursor - OVERLAP_MS
        found = await asyncio.gather(
            *(self._run(self._changed_since, shard, start) for shard in shards(PUBLIC_OWNER))
        )
        ids = [job_id for part in found for job_id in part]
        return await self.current(ids) if len(ids) <= CAP else None

    async def _run(self, function: Any, *arguments: Any) -> Any:
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
    """From what this relay has itself seen: for a feed without a table behind it."""

    def __init__(self, keep: int = 10_000) -> None:
        self._keep = keep
        self._changes: OrderedDict[str, Change] = OrderedDict()
        self._forgotten_until = 0

    def remember(self, change: Change) -> None:
        """Keep the newest state of each job, for as many jobs as there is room for."""
        self._changes[change.job_id] = change
        self._changes.move_to_end(change.job_id)
        if len(self._changes) > self._keep:
            _, oldest = self._changes.popitem(last=False)
            self._forgotten_until = max(self._forgotten_until, oldest.updated_at)

    async def current(self, job_ids: Iterable[str]) -> list[Change]:
        return [self._changes[one] for one in job_ids if one in self._changes]

    async def since(self, cursor: int) -> list[Change] | None:
        start = cursor - OVERLAP_MS
        changes = [change for change in self._changes.values() if change.updated_at >= start]
        return None if start <= self._forgotten_until or len(changes) > CAP else changes
