"""Read lists of jobs, single jobs and counts, always by key or by index: never with a scan."""

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from heapq import merge
from itertools import groupby, islice
from math import ceil
from typing import Any

from functions.common.budget import Limits
from functions.common.clock import Clock
from functions.common.identity import ALL_OWNERS
from functions.common.job import Job
from functions.common.ledger import Ledger
from functions.common.store import LAST_CREATED_KEY, JobStore, ListPartition, list_partitions
from functions.read_jobs.all_owners import newest_of_all
from functions.read_jobs.paging import PageRequest, encode_cursor


@dataclass(frozen=True)
class JobReader:
    """Reads the jobs table and the ledger. `pool` queries the partitions of an index in parallel.

    `budgets` are the limits of all budgets by name.
    """

    store: JobStore
    ledger: Ledger
    budgets: Mapping[str, Limits]
    pool: Executor
    clock: Clock

    def list_jobs(self, owner: str, request: PageRequest) -> dict[str, Any]:
        """Return a page in the contract's form. Jobs are found by an index and read from the table."""
        live_from = self.clock()  # before the reads, so that the stream has all later changes
        if owner == ALL_OWNERS:
            keys, position = newest_of_all(self.store, self.pool, request, live_from)
        else:
            keys, position = self._newest_of(owner, request)
        jobs = self._jobs(keys, request)
        total = self._total(owner, request)
        return {
            "total": total,
            "page": request.page,
            "pageSize": request.size,
            "totalPages": ceil(total / request.size),
            "data": [job.public_view() for job in jobs],
            "next_cursor": encode_cursor(position) if position else None,
            "live_cursor": str(live_from),
        }

    def stats(self, owner: str) -> dict[str, Any]:
        """Return an owner's exact counts, and the budgets. `budget` is that of the first contract."""
        counts = self.ledger.counts(owner)
        budgets = self._budgets()
        return {
            "counts": counts.by_status(),
            "counts_by_kind": {kind: counts.by_status(kind) for kind in counts.by_kind},
            "codes": counts.codes,
            "budgets": budgets,
            "budget": budgets.get("unsplash"),
        }

    def _budgets(self) -> dict[str, dict[str, int | None]]:
        windows = self.ledger.windows(self.budgets) if self.budgets else {}
        views: dict[str, dict[str, int | None]] = {}
        for name, limits in self.budgets.items():
            window = windows.get(name)
            if window is None or window.resets_at <= self.clock():  # the next unit opens a new window
                views[name] = {"limit": limits.limit, "remaining": limits.limit, "resets_at": None}
            else:
                views[name] = {**asdict(window)}
        return views

    def _total(self, owner: str, request: PageRequest) -> int:
        counts = self.ledger.counts(owner).by_status(request.kind)
        return counts[request.status] if request.status else sum(counts.values())

    def _jobs(self, keys: list[str], request: PageRequest) -> list[Job]:
        """Return the jobs of created_keys, except those that have left the requested status meanwhile."""
        ids = [key.split("#", 1)[1] for key in keys]
        existing = self.store.get_many(ids)
        jobs = [existing[job_id] for job_id in ids if job_id in existing]
        return [job for job in jobs if request.status in (None, job.status)]

    def _newest_of(self, owner: str, request: PageRequest) -> tuple[list[str], str | None]:
        """Return the created_keys of a page, newest first, and after which of them the next page starts.

        Every partition is read to this number. A job that moves from one to another while they are read may
        be in both, or in none: then the live stream has its change, because it resumes from before the reads.
        """

        count = request.offset + request.size

        def query(partition: ListPartition) -> list[str]:
            return self.store.created_before(partition, request.after or LAST_CREATED_KEY, count)

        partitions = list_partitions(owner, request.status, request.kind)
        merged = merge(*self.pool.map(query, partitions), reverse=True)
        keys = list(islice((key for key, _ in groupby(merged)), request.offset, count))
        return keys, keys[-1] if len(keys) == request.size else None
