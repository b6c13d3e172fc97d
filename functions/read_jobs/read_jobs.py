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
from functions.common.job import Job
from functions.common.job_filter import JobFilter
from functions.common.ledger import Ledger
from functions.common.marks import UNCOUNTED
from functions.common.store import JobStore
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

    def stats(self, owner: str) -> dict[str, Any]:
        """Return an owner's exact counts, and the budgets. `budget` is that of the first contract."""
        counts, minutes = self.ledger.counts_and_minutes(owner, self.clock())
        budgets = self._budgets()
        return {
            "counts": counts.by_status(),
            "counts_by_kind": {kind: counts.by_status(kind) for kind in counts.by_kind},
            "codes": counts.codes,
            "budgets": budgets,
            "budget": budgets.get("unsplash"),
            "minutes": minutes,
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

    def _total(self, owner: str, wanted: JobFilter) -> int:
        counts = self.ledger.counts(owner).by_status(wanted.kind)
        return counts[wanted.status] if wanted.status else sum(counts.values())
