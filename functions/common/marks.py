"""Marks: how each job is counted and its history, and the writes that move marks and counters together."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from functions.common.attributes import Item, from_item, to_attribute, to_item
from functions.common.identity import ALL_OWNERS, PUBLIC_OWNER
from functions.common.minutes import Event, expiry_of, minutes_key

COUNT_SHARDS = 8
"""Counter items per owner. Several items keep concurrent batches from updating the same one."""
KIND_PREFIX, CODE_PREFIX = "kind#", "code#"
"""Prefixes of the attributes of a counter item, before `<kind>#<status>` and before an error's code."""
GONE = "gone"
"""The status of a mark whose job was removed. It is not counted."""
MAX_VERSION = 1_000_000
"""Versions that fit between two milliseconds of creation."""


@dataclass(frozen=True)
class Mark:
    """A job is counted under `kind` and `status`, and under `code` if it failed, as of `sequence`.

    The sequence grows with each change that callers see, and `attempts` with each failed attempt between
    two of them. A job that has not been counted has sequence 0. `expires_at` is epoch seconds; the mark of
    a pending job does not expire. `history` is its text: see history.py.
    """

    owner: str
    kind: str
    status: str
    sequence: int
    code: str = ""
    expires_at: int | None = None
    attempts: int = 0
    history: str = ""

    @property
    def step(self) -> tuple[int, int]:
        """The position in the life of the job. Every change that is recorded has a higher one."""
        return self.sequence, self.attempts

    @property
    def creation(self) -> int:
        """When the job was created (epoch ms). It differs if it was created again after it expired."""
        return self.sequence // MAX_VERSION

    @property
    def counters(self) -> list[str]:
        """The attributes of the owner's counter item in which the job is counted."""
        if self.status in ("", GONE):
            return []
        counters = [f"{KIND_PREFIX}{self.kind}#{self.status}"]
        return [*counters, f"{CODE_PREFIX}{self.code}"] if self.code else counters


UNCOUNTED = Mark("", "", "", 0)


@dataclass(frozen=True)
class Move:
    """The mark of a job before and after changes, and what the minutes count of these."""

    before: Mark
    after: Mark
    events: tuple[Event, ...] = ()


class CounterKey(NamedTuple):
    """What names a counter item, apart from its shard: `block` is that of its minutes, if it has any."""

    owner: str
    block: int | None = None


def counted_for(owner: str) -> tuple[str, ...]:
    """Return the owners in whose counts an owner's job is: its own and, with sign-in, those of all."""
    return (owner,) if owner == PUBLIC_OWNER else (owner, ALL_OWNERS)


def mark_key(job_id: str) -> Item:
    """Return the key of a job's mark in the ledger."""
    return {"pk": to_attribute(f"mark#{job_id}")}


def count_key(owner: str, shard: int) -> Item:
    """Return the key of one of the items whose sum is an owner's counts."""
    return {"pk": to_attribute(f"count#{owner}#{shard}")}


def parse_mark(item: Item) -> tuple[str, Mark]:
    """Return the job id and the mark of a ledger item.

    Unknown attributes are ignored: a newer version of the function may have written the mark.
    """
    values = from_item({name: item[name] for name in ("pk", *Mark.__annotations__) if name in item})
    job_id = values.pop("pk").removeprefix("mark#")
    return job_id, Mark(**values)


def counter_keys(owner: str, events: Iterable[Event]) -> set[CounterKey]:
    """Return which counter items a change of an owner's job may update."""
    owners = counted_for(owner)
    return {CounterKey(each, block) for each in owners for block in (None, *(e.block for e in events))}


def mark_writes(moves: Mapping[str, Move], pick_shard: Callable[[int], int]) -> list[dict[str, Any]]:
    """Return the writes of a transaction that moves marks by job id, and adjusts the counters.

    `pick_shard` returns a number below its argument.
    """
    deltas: dict[CounterKey, Counter[str]] = defaultdict(Counter)
    for move in moves.values():
        for owner in counted_for(move.after.owner):
            deltas[CounterKey(owner)].update(move.after.counters)
            for event in move.events:
                deltas[CounterKey(owner, event.block)].update(event.attributes)
        for owner in counted_for(move.before.owner):
            deltas[CounterKey(owner)].subtract(move.before.counters)
    writes = [_mark_write(job_id, move) for job_id, move in moves.items()]
    for key, counters in deltas.items():
        if changes := {name: delta for name, delta in counters.items() if delta}:
            writes.append(_counter_write(key, pick_shard(COUNT_SHARDS), changes))
    return writes


def _mark_write(job_id: str, move: Move) -> dict[str, Any]:
    """Replace a mark, provided that it still is the one before."""
    item = {**mark_key(job_id), **to_item(vars(move.after))}
    if move.before is UNCOUNTED:
        return {"Put": {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
    condition = {
        # a mark of an older version has no attempts
        "ConditionExpression": "#sequence = :sequence AND"
        " (attempts = :attempts OR attribute_not_exists(attempts))",
        "ExpressionAttributeNames": {"#sequence": "sequence"},
        "ExpressionAttributeValues": to_item(
            {":sequence": move.before.sequence, ":attempts": move.before.attempts}
        ),
    }
    return {"Put": {"Item": item, **condition}}


def _counter_write(key: CounterKey, shard: int, changes: dict[str, int]) -> dict[str, Any]:
    names = {f"#s{index}": name for index, name in enumerate(changes)}
    values = {f":d{index}": delta for index, delta in enumerate(changes.values())}
    expression = "ADD " + ", ".join(f"#s{index} :d{index}" for index in range(len(changes)))
    if key.block is not None:
        expression += " SET expires_at = :expires_at"
        values[":expires_at"] = expiry_of(key.block)
    update = {
        "Key": count_key(key.owner, shard) if key.block is None else minutes_key(key.owner, shard, key.block),
        "UpdateExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": to_item(values),
    }
    return {"Update": update}
