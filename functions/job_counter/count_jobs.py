"""Exact counts of jobs by status, from the table's stream.

Why they stay exact: for every job the ledger has a mark, the version and status in which the job is
counted. A batch moves marks and counters in one transaction, on condition that each mark still is what
the batch has read. So a record that comes twice, in a batch that was bisected or retried, or after a
newer one of the same job, finds a mark that is as new as itself or newer and counts nothing; and two
batches that run at once cannot both move the same mark. A counter is at all times the number of marks
with its status, and once the stream has been read the mark of each job is its last version.

A job that expires leaves its mark behind, as a tombstone that expires later than the stream's records
do (24 hours), so that a late record cannot count it again.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functions.common.attributes import Item, batch_get, from_item, to_attribute, to_item
from functions.common.ledger import COUNT_SHARDS, count_key
from functions.common.observability import count, logger

MARKS_PER_TRANSACTION = 90
"""TransactWriteItems takes 100 items; the rest is room for counters of several owners."""
TRIES = 5
TOMBSTONE_SECONDS = 3 * 24 * 3600
GONE = "gone"
MAX_VERSION = 1_000_000
"""Versions that fit between two milliseconds of creation."""


@dataclass(frozen=True)
class Mark:
    """How a job is counted: in `status`, as of `sequence`, which grows with each change of the job.

    An uncounted job has sequence 0. A job may come again after it expired (its idempotency key gives it
    the same id), so the time of creation leads and the version follows.
    """

    owner: str
    status: str
    sequence: int
    expires_at: int


UNCOUNTED = Mark("", "", 0, 0)


@dataclass(frozen=True)
class JobCounter:
    """Moves marks and counters in the ledger. `pick` chooses which of an owner's counters to add to."""

    dynamodb: Any
    table: str
    pick: Callable[[int], int] = random.randrange

    def count(self, records: list[dict[str, Any]]) -> None:
        """Count a batch of stream records. Raises botocore's errors; then the batch may come again."""
        newest = _newest(records)
        ids = list(newest)
        for start in range(0, len(ids), MARKS_PER_TRANSACTION):
            part = ids[start : start + MARKS_PER_TRANSACTION]
            self._count_part({one: newest[one] for one in part})

    def _count_part(self, newest: dict[str, Mark]) -> None:
        """Try anew when another batch was faster: then the marks are read again."""
        for attempt in range(1, TRIES + 1):
            known = self._known(newest)
            moves = {
                one: mark
                for one, mark in newest.items()
                if mark.sequence > known.get(one, UNCOUNTED).sequence
            }
            if not moves:
                return
            try:
                self.dynamodb.transact_write_items(TransactItems=self._transaction(moves, known))
                count("ChangesCounted", len(moves))
                return
            except self.dynamodb.exceptions.TransactionCanceledException as error:
                if attempt == TRIES:
                    raise
                logger.info("counted at the same time by another", extra={"reason": str(error)})

    def _known(self, newest: dict[str, Mark]) -> dict[str, Mark]:
        items = batch_get(self.dynamodb, self.table, [_key(one) for one in newest])
        known = {}
        for values in map(from_item, items):
            job_id = values.pop("pk").removeprefix("mark#")
            known[job_id] = Mark(**values)
        return known

    def _transaction(self, moves: dict[str, Mark], known: dict[str, Mark]) -> list[dict[str, Any]]:
        deltas: Counter[tuple[str, str]] = Counter()
        writes = []
        for one, mark in moves.items():
            before = known.get(one, UNCOUNTED)
            deltas[mark.owner, mark.status] += 1
            deltas[before.owner, before.status] -= 1
            writes.append(self._move(one, mark, before))
        return writes + self._additions(deltas)

    def _move(self, job_id: str, mark: Mark, before: Mark) -> dict[str, Any]:
        put = {"TableName": self.table, "Item": {**_key(job_id), **to_item(vars(mark))}}
        if before is UNCOUNTED:
            return {"Put": {**put, "ConditionExpression": "attribute_not_exists(pk)"}}
        condition = {
            "ConditionExpression": "#sequence = :before",
            "ExpressionAttributeNames": {"#sequence": "sequence"},
            "ExpressionAttributeValues": to_item({":before": before.sequence}),
        }
        return {"Put": {**put, **condition}}

    def _additions(self, deltas: "Counter[tuple[str, str]]") -> list[dict[str, Any]]:
        """One update of one counter item for each owner."""
        by_owner: dict[str, dict[str, int]] = {}
        for (owner, status), delta in deltas.items():
            if delta and status not in ("", GONE):
                by_owner.setdefault(owner, {})[status] = delta
        return [self._addition(owner, changes) for owner, changes in by_owner.items()]

    def _addition(self, owner: str, changes: dict[str, int]) -> dict[str, Any]:
        names = {f"#s{index}": status for index, status in enumerate(changes)}
        values = {f":d{index}": delta for index, delta in enumerate(changes.values())}
        terms = ", ".join(f"#s{index} :d{index}" for index in range(len(changes)))
        update = {
            "TableName": self.table,
            "Key": {"pk": to_attribute(count_key(owner, self.pick(COUNT_SHARDS)))},
            "UpdateExpression": f"ADD {terms}",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": to_item(values),
        }
        return {"Update": update}


def _newest(records: list[dict[str, Any]]) -> dict[str, Mark]:
    """The newest state of each job in a batch; a job that was removed is newer than any version."""
    newest: dict[str, Mark] = {}
    for record in records:
        change = record["dynamodb"]
        mark = _mark(change.get("NewImage"), change.get("OldImage"))
        job_id = change["Keys"]["id"]["S"]
        if mark.sequence > newest.get(job_id, UNCOUNTED).sequence:
            newest[job_id] = mark
    return newest


def _mark(new: Item | None, old: Item | None) -> Mark:
    job = from_item(new or old or {})
    sequence = job["created_at"] * MAX_VERSION + job["version"]
    status = job["status"] if new else GONE
    return Mark(job["owner"], status, sequence + (0 if new else 1), job["expires_at"] + TOMBSTONE_SECONDS)


def _key(job_id: str) -> Item:
    return {"pk": to_attribute(f"mark#{job_id}")}
