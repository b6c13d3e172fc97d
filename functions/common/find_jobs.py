"""Find jobs by status, kind, error code, time of creation and text, newest first, always by an index.

An index only names jobs, and it may be behind the table. So the jobs are read from the table, and those that
do not match any more are left out. No index has the error codes of an owner's jobs or the texts of any: these
are examined one by one.
"""

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from heapq import merge
from itertools import groupby, islice

from functions.common.all_owners import all_steps
from functions.common.clock import Clock
from functions.common.identity import ALL_OWNERS
from functions.common.job import SHARDS, STATUSES, Job
from functions.common.job_filter import JobFilter
from functions.common.store import LAST_CREATED_KEY, JobStore, ListPartition, list_partitions

MAX_EXAMINED = 1000
"""Entries of an index that a page examines. It is shorter if few of them match."""
STEP = 100
"""Jobs that are read together."""
MAX_PARALLEL_QUERIES = SHARDS * len(STATUSES)
"""The list of a kind reads one partition for each status and shard."""
Found = list[tuple[str, Job]]
"""Jobs with their created_keys, newest first."""


@dataclass(frozen=True)
class JobFinder:
    """Queries the partitions of an index in parallel, with `pool`."""

    store: JobStore
    pool: Executor
    clock: Clock

    def page(
        self, owner: str, wanted: JobFilter, after: str | None, size: int, offset: int = 0
    ) -> tuple[list[Job], str | None]:
        """Return the jobs of a page, newest first, and the position at which the next page starts, or None.

        `after` and the position are created_keys. A page may be shorter than `size`, also if there are more.
        """
        if owner != ALL_OWNERS and wanted.code is None and wanted.text is None:
            keys, position = self._newest(owner, wanted, after, size, offset)
            return [job for _, job in self._read(keys, wanted)], position
        jobs: list[Job] = []
        examined, position = 0, after
        for keys, reached in self._steps(owner, wanted, after, STEP, MAX_EXAMINED):
            examined, position = examined + len(keys), reached
            while keys:
                # without a text, nearly all keys of the list of all owners match
                count = size - len(jobs) if owner == ALL_OWNERS and wanted.text is None else STEP
                for key, job in self._read(keys[:count], wanted):
                    jobs.append(job)
                    if len(jobs) == size:
                        return jobs, key
                keys = keys[count:]
            if examined >= MAX_EXAMINED:
                break
        return jobs, position

    def all(self, owner: str, wanted: JobFilter) -> Iterator[tuple[list[Job], bool]]:
        """Yield all jobs that match, newest first, in steps, and whether there may be more of them."""
        for keys, position in self._steps(owner, wanted, None, 4 * STEP, None):
            yield [job for _, job in self._read(keys, wanted)], position is not None

    def _steps(
        self, owner: str, wanted: JobFilter, after: str | None, step: int, max_examined: int | None
    ) -> Iterator[tuple[list[str], str | None]]:
        """Yield created_keys of jobs that may match, with the position after them, or None at the end."""
        if owner == ALL_OWNERS:
            start = wanted.before(after or LAST_CREATED_KEY)
            for entries, position in all_steps(self.store, self.pool, start, self.clock(), max_examined):
                keys = [entry["created_key"] for entry in entries if wanted.matches_entry(entry)]
                is_last = position is None or position < wanted.oldest_key
                yield keys, None if is_last else position
                if is_last:
                    return
            return
        while True:
            keys, after = self._newest(owner, wanted, after, step)
            yield keys, after
            if after is None:
                return

    def _newest(
        self, owner: str, wanted: JobFilter, after: str | None, size: int, offset: int = 0
    ) -> tuple[list[str], str | None]:
        """Return the created_keys of a page, newest first, and after which of them the next page starts.

        Every partition is read to this number. A job that moves from one to another while they are read may
        be in both, or in none: then the live stream has its change, because it resumes from before the reads.
        """
        count, start = offset + size, wanted.before(after or LAST_CREATED_KEY)

        def query(partition: ListPartition) -> list[str]:
            return self.store.created_before(partition, start, count)

        merged = merge(
            *self.pool.map(query, list_partitions(owner, wanted.status, wanted.kind)), reverse=True
        )
        keys = list(islice((key for key, _ in groupby(merged)), offset, count))
        recent = [key for key in keys if key >= wanted.oldest_key]
        return recent, recent[-1] if len(recent) == size else None

    def _read(self, keys: list[str], wanted: JobFilter) -> Found:
        """Return the jobs of created_keys, except those that do not match as they are now."""
        ids = {key: key.split("#", 1)[1] for key in keys}
        existing = self.store.get_many(ids.values())
        jobs = [(key, existing[job_id]) for key, job_id in ids.items() if job_id in existing]
        return [(key, job) for key, job in jobs if wanted.matches(job)]
