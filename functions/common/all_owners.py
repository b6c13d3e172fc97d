"""The list of all owners, for operators: an index by day, of which a call reads a limited part."""

from collections.abc import Iterator
from concurrent.futures import Executor
from heapq import merge
from typing import Any

from functions.common.job import DAY, SHARDS, all_shards, created_key, day_of
from functions.common.store import JobStore, ListPartition

LISTED_DAYS = 62
"""Days from which jobs are listed: a job may start after 30, and is kept for 30 after its end. One that has
waited longer, or was retried, is found by its id or in its owner's list."""
STEP = 100
"""Entries that one query reads at most."""
Entries = list[dict[str, Any]]
FIRST_ID = "00000000-0000-0000-0000-000000000000"


def all_steps(
    store: JobStore, pool: Executor, position: str, now: int, max_examined: int | None
) -> Iterator[tuple[Entries, str | None]]:
    """Yield the entries before a position in steps, each with the position after it: None at the end.

    `now` is epoch ms. At most `max_examined` entries are read. The days are read from the newest. After days
    with few entries, twice as many are read together.
    """
    last = min(_day(position), day_of(now + 60_000))  # the clocks of two functions differ
    oldest = day_of(now) - LISTED_DAYS
    remaining, days = max_examined or 10**9, 1
    while last >= oldest and remaining >= SHARDS:
        days = min(days, last - oldest + 1, remaining // SHARDS)
        names = [name for day in range(last, last - days, -1) for name in all_shards(day)]
        entries, read, boundary = _read(store, pool, names, position, min(STEP, remaining // len(names)))
        remaining -= read
        last, days = (_day(boundary), 1) if boundary else (last - days, 2 * days)
        position = boundary or created_key((last + 1) * DAY, FIRST_ID)
        yield entries, position if last >= oldest else None


def _read(
    store: JobStore, pool: Executor, names: list[str], position: str, step: int
) -> tuple[Entries, int, str | None]:
    """Return the newest entries before a position, how many were read, and down to which key all are known.

    If a partition may have more than `step`, what is older than its last entry is left for the next read.
    """

    def query(name: str) -> Entries:
        return store.entries_before(ListPartition("by-all", "all_shard", name), position, step)

    lists = list(pool.map(query, names))
    boundary = max((entries[-1]["created_key"] for entries in lists if len(entries) == step), default=None)
    merged = merge(*lists, key=lambda entry: str(entry["created_key"]), reverse=True)
    complete = [entry for entry in merged if boundary is None or entry["created_key"] >= boundary]
    return complete, sum(map(len, lists)), boundary


def _day(key: str) -> int:
    return day_of(int(key.partition("#")[0]))
