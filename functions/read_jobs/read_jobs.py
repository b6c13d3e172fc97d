"""Read lists of jobs, single jobs and counts, always by key or by index: never with a scan."""

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from functions.common.budget import Limits
from functions.common.clock import Clock
from functions.common.find_jobs import JobFinder
from functions.common.history import from_text
from functions.common.identity import ALL_OWNERS
from functions.common.job import Job
from functions.common.job_filter import JobFilter
from functions.common.ledger import Ledger
from functions.common.marks import UNCOUNTED
from functions.common.queues import Queue
from functions.common.store import JobStore, list_partitions
from functions.read_jobs.paging import PageRequest, encode_cursor


@dataclass(frozen=True)
class JobReader:
    """Reads the jobs table and the ledger. `pool` queries the partitions of an index in parallel.

    `budgets` are the limits of all budgets by name, `queues` the queues of all kinds by name.
    """

    store: JobStore
    ledger: Ledger
    budgets: Mapping[str, Limits]
    queues: Mapping[str, Queue]
    pool: Executor
    clock: Clock

    def list_jobs(self, owner: str, request: PageRequest) -> dict[str, Any]:
        """Return a page in the contract's form. Jobs are found by an index and read from the table."""
        live_from = self.clock()  # before the reads, so that the stream has all later changes
        finder = JobFinder(self.store, self.pool, self.clock)
        jobs, position = finder.page(owner, request.wanted, request.after, request.size, request.offset)
        total = self._total(owner, request.wanted) if request.is_counted else None
        return {
            "total": total,
            "page": request.page,
            "pageSize": request.size,
            "totalPages": None if total is None else ceil(total / request.size),
            "data": [job.public_view() for job in jobs],
            "next_cursor": encode_cursor(position) if position else None,
            "live_cursor": str(live_from),
        }

    def history(self, job: Job) -> dict[str, Any]:
        """Return the recorded changes of a job, oldest first. The latest may be missing for some seconds."""
        mark = self.ledger.marks([job.id]).get(job.id, UNCOUNTED)
        # a job that was created again after it expired may still have the mark of the first one
        entries = from_text(mark.history) if mark.creation == job.created_at else ()
        return {"data": [entry.public_view() for entry in entries]}

    def stats(self, owner: str, *, with_queues: bool) -> dict[str, Any]:
        """Return an owner's exact counts, and the budgets. `budget` is that of the first contract.

        The queues are shared by all owners, so not every caller may see their lengths.
        """
        counts, minutes = self.ledger.counts_and_minutes(owner, self.clock())
        budgets = self._budgets()
        return {
            "counts": counts.by_status(),
            "counts_by_kind": {kind: counts.by_status(kind) for kind in counts.by_kind},
            "codes": counts.codes,
            "budgets": budgets,
            "budget": budgets.get("unsplash"),
            "minutes": minutes,
            "queues": self._backlogs() if with_queues else {},
            "oldest_pending": self._oldest_pending(owner),
        }

    def _backlogs(self) -> dict[str, dict[str, int]]:
        backlogs = self.pool.map(Queue.backlog, self.queues.values())
        return {
            kind: {"waiting": waiting, "running": running}
            for kind, (waiting, running) in zip(self.queues, backlogs, strict=True)
        }

    def _oldest_pending(self, owner: str) -> dict[str, Any] | None:
        """Return the oldest pending job's id and creation. No index has that of all owners."""
        if owner == ALL_OWNERS:
            return None
        keys = self.pool.map(self.store.oldest_key, list_partitions(owner, "pending", None))
        oldest = min(filter(None, keys), default=None)
        if oldest is None:
            return None
        created_at, job_id = oldest.split("#", 1)
        return {"id": job_id, "created_at": int(created_at)}

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

    def _total(self, owner: str, wanted: JobFilter) -> int:
        counts = self.ledger.counts(owner).by_status(wanted.kind)
        return counts[wanted.status] if wanted.status else sum(counts.values())
