"""Lists, single jobs and counts, all read by key or by index: never a scan."""

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from heapq import merge
from itertools import islice
from math import ceil
from typing import Any

from functions.common.attributes import to_attribute
from functions.common.clock import Clock
from functions.common.errors import Problem
from functions.common.job import PUBLIC_OWNER, Job, shards, status_shard
from functions.common.ledger import read_budget, read_counts
from functions.common.store import JobStore
from functions.read_jobs.paging import PageRequest, encode_cursor

LAST = "9999999999999#~"
"""Sorts behind every sort key."""


@dataclass(frozen=True)
class JobReader:
    """Reads the jobs table and the ledger. `pool` asks the index's shards side by side."""

    store: JobStore
    dynamodb: Any
    jobs_table: str
    ledger_table: str
    rate_limit: int
    pool: Executor
    clock: Clock

    def job(self, job_id: str) -> Job:
        """One job as it is now. Raises Problem 404."""
        job = self.store.get(job_id)
        if job is None:
            raise Problem(404, f"there is no job {job_id}")
        return job

    def page(self, request: PageRequest) -> dict[str, Any]:
        """The contract's page. The index says which jobs, the table what they are now."""
        live_cursor = str(self.clock())  # before the reads, so that no change falls between list and stream
        keys = self._sort_keys(request, count=request.offset + request.size)[request.offset :]
        jobs = self._jobs(keys, request)
        total = self._total(request)
        return {
            "total": total,
            "page": request.page,
            "pageSize": request.size,
            "totalPages": ceil(total / request.size),
            "data": [job.shown() for job in jobs],
            "next_cursor": encode_cursor(keys[-1]) if len(keys) == request.size else None,
            "live_cursor": live_cursor,
        }

    def stats(self) -> dict[str, Any]:
        """Exact counts by status, and the rate budget."""
        budget = read_budget(self.dynamodb, self.ledger_table)
        if budget is None or budget.resets_at <= self.clock():  # the next request opens a window anew
            shown = {"limit": self.rate_limit, "remaining": self.rate_limit, "resets_at": None}
        else:
            shown = asdict(budget)
        return {"counts": read_counts(self.dynamodb, self.ledger_table, PUBLIC_OWNER), "budget": shown}

    def _total(self, request: PageRequest) -> int:
        counts = read_counts(self.dynamodb, self.ledger_table, PUBLIC_OWNER)
        return counts[request.status] if request.status else sum(counts.values())

    def _jobs(self, keys: list[str], request: PageRequest) -> list[Job]:
        """The jobs behind sort keys, less those that have left the status since the index was written."""
        ids = [key.split("#", 1)[1] for key in keys]
        found = self.store.get_many(ids)
        jobs = [found[one] for one in ids if one in found]
        return [job for job in jobs if request.status in (None, job.status)]

    def _sort_keys(self, request: PageRequest, count: int) -> list[str]:
        """The first `count` sort keys after the request's place, newest first, over all shards."""
        partitions = shards(PUBLIC_OWNER)
        if request.status:
            index, attribute = "by-status", "status_shard"
            partitions = [status_shard(one, request.status) for one in partitions]
        else:
            index, attribute = "by-created", "list_shard"

        def query(partition: str) -> list[str]:
            return list(islice(self._query(index, attribute, partition, request.after or LAST, count), count))

        return list(islice(merge(*self.pool.map(query, partitions), reverse=True), count))

    def _query(self, index: str, attribute: str, partition: str, before: str, count: int) -> Iterator[str]:
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.jobs_table,
            IndexName=index,
            KeyConditionExpression=f"{attribute} = :partition AND created_key < :before",
            ExpressionAttributeValues={
                ":partition": to_attribute(partition),
                ":before": to_attribute(before),
            },
            ScanIndexForward=False,
            PaginationConfig={"PageSize": count},
        )
        for page in pages:
            for item in page["Items"]:
                yield item["created_key"]["S"]
