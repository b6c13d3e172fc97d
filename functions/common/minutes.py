"""What happened in each minute: jobs created, resolved and failed, and a histogram of the ages of results.

An owner has items of ten minutes each, in as many shards as its counters. Each attribute begins with the
minute's number within the ten: `3c` (created), `3r` (resolved), `3f` (failed) and `3a25` (resolved with an
age in bucket 25). The items expire.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil, log
from typing import Any, Literal

from functions.common.attributes import Item, from_item, to_attribute

MINUTE = 60_000
"""Milliseconds."""
BLOCK = 10
"""Minutes in an item."""
SHOWN = 60
"""Minutes that are shown."""
RETENTION_SECONDS = 2 * 3600
"""How long after its minutes an item is kept: also for changes that are counted late."""
GROWTH = 1.15
"""Each bucket of the histogram is as many times as long as the one before. So the middle of a bucket differs
from the ages in it by at most 7.3 %, or 10 % for ages of a few milliseconds, which are rounded."""
LETTERS = {"created": "c", "resolved": "r", "failed": "f"}
AGE = "a"


@dataclass(frozen=True)
class Event:
    """A job was created, or has ended, at `at` (epoch ms). `age` is in ms, or None if it is not measured."""

    what: Literal["created", "resolved", "failed"]
    at: int
    age: int | None = None

    @property
    def block(self) -> int:
        return self.at // MINUTE // BLOCK

    @property
    def attributes(self) -> list[str]:
        """The attributes of the block's item in which the event is counted."""
        digit = self.at // MINUTE % BLOCK
        ages = [] if self.age is None else [f"{digit}{AGE}{bucket_of(self.age)}"]
        return [f"{digit}{LETTERS[self.what]}", *ages]


def bucket_of(age: int) -> int:
    """Return the bucket of an age (ms)."""
    return round(log(max(age, 1), GROWTH))


def age_of(bucket: int) -> int:
    """Return the age (ms) in the middle of a bucket."""
    return round(GROWTH**bucket)


def minutes_key(owner: str, shard: int, block: int) -> Item:
    """Return the key of the item of an owner's ten minutes in the ledger."""
    return {"pk": to_attribute(f"minutes#{owner}#{shard}#{block}")}


def expiry_of(block: int) -> int:
    """Return when the item of a block expires (epoch seconds)."""
    return (block + 1) * BLOCK * MINUTE // 1000 + RETENTION_SECONDS


def shown_blocks(now: int) -> range:
    """Return the blocks that contain the last sixty minutes (`now` is epoch ms)."""
    last = now // MINUTE
    return range((last - SHOWN + 1) // BLOCK, last // BLOCK + 1)


def last_minutes(items: Iterable[Item], now: int) -> list[dict[str, Any]]:
    """Return the last sixty minutes in the contract's form, oldest first, from the items of an owner."""
    counts: dict[int, Counter[str]] = {}
    for item in items:
        values = from_item(item)
        block = int(values["pk"].rpartition("#")[2])
        for name, value in values.items():
            if name[0].isdecimal():
                counts.setdefault(block * BLOCK + int(name[0]), Counter())[name[1:]] += value
    last = now // MINUTE
    return [_view(minute, counts.get(minute, {})) for minute in range(last - SHOWN + 1, last + 1)]


def _view(minute: int, counts: Mapping[str, int]) -> dict[str, Any]:
    ages = {int(name[1:]): value for name, value in counts.items() if name.startswith(AGE)}
    return {
        "at": minute * MINUTE,
        **{what: counts.get(letter, 0) for what, letter in LETTERS.items()},
        "age_p50_ms": percentile(ages, 0.5),
        "age_p95_ms": percentile(ages, 0.95),
    }


def percentile(ages: Mapping[int, int], fraction: float) -> int | None:
    """Return the smallest age that at least this fraction of the ages does not exceed, or None."""
    rank, seen = ceil(fraction * sum(ages.values())), 0
    for bucket in sorted(ages):
        seen += ages[bucket]
        if seen >= rank:
            return age_of(bucket)
    return None
