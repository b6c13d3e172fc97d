"""Read lists of jobs, single jobs and counts, always by key or by index: never with a scan."""

from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from heapq import merge
from itertools import islice
from math import ceil
from typing import Any

from functions.common.clock import Clock
from functions.common.errors import Problem
from functions.common.job import PUBLIC_OWNER, Job, shards
from functions.common.ledger import Ledger
from functions.common.store import LAST_CREATED_KEY, JobStore
from functions.read_jobs.paging import PageRequest, encode_cursor


@dataclass(frozen=True)
class JobReader:
    """Reads the jobs table and the ledger. `pool` queries the shards of an index in parallel."""

    store: JobStore
    ledger: Ledger
    rate_limit: int
    pool: Executor
    clock: Clock

    def get_job(self, job_id: str) -> Job:
        """Return a job as it is now. Raises Problem 404."""
        job = self.store.get(job_id)
        if job is None:
            raise Problem(404, f"there is no job {job_id}")
        return job

    def list_jobs(self, request: PageRequest) -> dict[str, Any]:
        """Return a page in the contract's form. Jobs are found by an index and read from the table."""
        live_cursor = str(self.clock())  # before the reads, so that the stream has all later changes
        keys = self._created_keys(request, count=request.offset + request.size)[request.offset :]
        jobs = self._jobs(keys, request)
        total = self._total(request)
        return {
            "total": total,
            "page": request.page,
            "pageSize": request.size,
            "totalPages": ceil(total / request.size),
            "data": [job.public_view() for job in jobs],
            "next_cursor": encode_cursor(keys[-1]) if len(keys) == request.size else None,
            "live_cursor": live_cursor,
        }

    def stats(self) -> dict[str, Any]:
        """Return exact counts by status, and the rate budget."""
        budget = self.ledger.budget()
        if budget is None or budget.resets_at <= self.clock():  # the next request opens a new window
            view = {"limit": self.rate_limit, "remaining": self.rate_limit, "resets_at": None}
        else:
            view = asdict(budget)
        return {"counts": self.ledger.counts(PUBLIC_OWNER), "budget": view}

    def _total(self, request: PageRequest) -> int:
        counts = self.ledger.counts(PUBLIC_OWNER)
        return counts[request.status] if request.status else sum(counts.values())

    def _jobs(self, keys: list[str], request: PageRequest) -> list[Job]:
        """Return the jobs of created_keys, except those that have left the requested status meanwhile."""
        ids = [key.split("#", 1)[1] for key in keys]
        existing = self.store.get_many(ids)
        jobs = [existing[job_id] for job_id in ids if job_id in existing]
        return [job for job in jobs if request.status in (None, job.status)]

    def _created_keys(self, request: PageRequest, count: int) -> list[str]:
        """Return the first `count` created_keys after the request's position, newest first, of all shards."""

        def query(shard: str) -> list[str]:
            return self.store.created_before(shard, request.status, request.after or LAST_CREATED_KEY, count)

        return list(islice(merge(*self.pool.map(query, shards(PUBLIC_OWNER)), reverse=True), count))
