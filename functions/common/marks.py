"""Marks: how each job is counted, and the writes that move marks and counters together."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functions.common.attributes import Item, from_item, to_attribute, to_item
from functions.common.identity import ALL_OWNERS, PUBLIC_OWNER

COUNT_SHARDS = 8
"""Counter items per owner. Several items keep concurrent batches from updating the same one."""
KIND_PREFIX, CODE_PREFIX = "kind#", "code#"
"""Prefixes of the attributes of a counter item, before `<kind>#<status>` and before an error's code."""
GONE = "gone"
"""The status of a mark whose job was removed. It is not counted."""


@dataclass(frozen=True)
class Mark:
    """A job is counted under `kind` and `status`, and under `code` if it failed, as of `sequence`.

    The sequence grows with each change of the job. A job that has not been counted has sequence 0.
    `expires_at` is epoch seconds; the mark of a pending job does not expire.
    """

    owner: str
    kind: str
    status: str
    sequence: int
    code: str = ""
    expires_at: int | None = None

    @property
    def counters(self) -> list[str]:
        """The attributes of the owner's counter item in which the job is counted."""
        if self.status in ("", GONE):
            return []
        counters = [f"{KIND_PREFIX}{self.kind}#{self.status}"]
        return [*counters, f"{CODE_PREFIX}{self.code}"] if self.code else counters


UNCOUNTED = Mark("", "", "", 0)


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


def mark_writes(
    marks: dict[str, Mark], stored: dict[str, Mark], pick_shard: Callable[[int], int]
) -> list[dict[str, Any]]:
    """Return the writes of a transaction that replaces `stored` marks by `marks` and adjusts the counters.

    `stored` may lack jobs that have no mark yet. `pick_shard` returns a number below its argument.
    """
    deltas: dict[str, Counter[str]] = defaultdict(Counter)
    writes = []
    for job_id, mark in marks.items():
        before = stored.get(job_id, UNCOUNTED)
        for owner in counted_for(mark.owner):
            deltas[owner].update(mark.counters)
        for owner in counted_for(before.owner):
            deltas[owner].subtract(before.counters)
        writes.append(_mark_write(job_id, mark, before))
    for owner, counters in deltas.items():
        if changes := {name: delta for name, delta in counters.items() if delta}:
            writes.append(_counter_write(count_key(owner, pick_shard(COUNT_SHARDS)), changes))
    return writes


def _mark_write(job_id: str, mark: Mark, before: Mark) -> dict[str, Any]:
    """Replace a mark, provided that it still is `before`."""
    item = {**mark_key(job_id), **to_item(vars(mark))}
    if before is UNCOUNTED:
        return {"Put": {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
    condition = {
        "ConditionExpression": "#sequence = :before",
        "ExpressionAttributeNames": {"#sequence": "sequence"},
        "ExpressionAttributeValues": to_item({":before": before.sequence}),
    }
    return {"Put": {"Item": item, **condition}}


def _counter_write(key: Item, changes: dict[str, int]) -> dict[str, Any]:
    names = {f"#s{index}": name for index, name in enumerate(changes)}
    values = {f":d{index}": delta for index, delta in enumerate(changes.values())}
    terms = ", ".join(f"#s{index} :d{index}" for index in range(len(changes)))
    update = {
        "Key": key,
        "UpdateExpression": f"ADD {terms}",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": to_item(values),
    }
    return {"Update": update}
