"""Count jobs by status, exactly, from the table's stream.

For every job the ledger has a mark: the version and status under which the job is counted. A batch moves
marks and counters in one transaction, on the condition that each mark is still the one that the batch has
read. Therefore the counts are exact:

- A record that is delivered again, in a batch that was bisected or retried, or after a newer record of the
  same job, finds a mark that is at least as new as itself. It changes nothing.
- Two concurrent batches cannot move the same mark.
- A counter always equals the number of marks with its status. Once the stream has been read, the mark of
  each job is its last version.

A job that expires leaves its mark as a tombstone. The tombstone expires later than the stream's records
(24 hours), so that a late record cannot count the job again.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

from functions.common.attributes import Item, from_item
from functions.common.decode import conforms
from functions.common.errors import Damaged, WriteConflict
from functions.common.job import Status
from functions.common.ledger import Ledger
from functions.common.marks import GONE, UNCOUNTED, Mark
from functions.common.observability import count, logger, report_damaged

MARKS_PER_TRANSACTION = 90
"""TransactWriteItems takes 100 items. Ten are reserved for the counters of several owners."""
MAX_ATTEMPTS = 5
TOMBSTONE_SECONDS = 3 * 24 * 3600
MAX_VERSION = 1_000_000
"""Versions that fit between two milliseconds of creation."""


class CountedFields(TypedDict):
    """The fields of a job's image that counting needs."""

    owner: str
    status: Status
    created_at: int
    version: int


@dataclass(frozen=True)
class JobCounter:
    """Moves marks and counters in the ledger. `pick_shard` selects which of an owner's counters to update."""

    ledger: Ledger
    pick_shard: Callable[[int], int] = random.randrange

    def count(self, records: list[dict[str, Any]]) -> None:
        """Count a batch of stream records.

        Raises botocore's errors and WriteConflict. The batch may then be counted again.
        """
        newest = _newest_marks(records)
        ids = list(newest)
        for start in range(0, len(ids), MARKS_PER_TRANSACTION):
            batch = ids[start : start + MARKS_PER_TRANSACTION]
            self._count_batch({job_id: newest[job_id] for job_id in batch})

    def _count_batch(self, newest: dict[str, Mark]) -> None:
        """Move the marks of up to 90 jobs. Read them again if another batch has moved one of them first."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            stored = self.ledger.marks(newest)
            moved = {
                job_id: mark
                for job_id, mark in newest.items()
                if mark.sequence > stored.get(job_id, UNCOUNTED).sequence
            }
            if not moved:
                return
            try:
                self.ledger.move_marks(moved, stored, self.pick_shard)
            except WriteConflict as conflict:
                if attempt == MAX_ATTEMPTS:
                    raise
                logger.info("count conflicted with another batch", extra={"reason": str(conflict)})
            else:
                count("ChangesCounted", len(moved))
                return


def _newest_marks(records: list[dict[str, Any]]) -> dict[str, Mark]:
    """Return the newest mark of each job in a batch. A removal is newer than any version.

    Damaged records are reported and left out.
    """
    newest: dict[str, Mark] = {}
    for record in records:
        try:
            job_id, mark = _parse_record(record)
        except Damaged as reason:
            report_damaged("jobs stream", str(record.get("eventID")), reason)
            continue
        if mark.sequence > newest.get(job_id, UNCOUNTED).sequence:
            newest[job_id] = mark
    return newest


def _parse_record(record: dict[str, Any]) -> tuple[str, Mark]:
    """Return the job id and its mark. Raises Damaged."""
    try:
        change = record["dynamodb"]
        return str(change["Keys"]["id"]["S"]), _mark(change.get("NewImage"), change.get("OldImage"))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Damaged(f"not a change of a job: {error!r}") from error


def _mark(new: Item | None, old: Item | None) -> Mark:
    """Return the mark for a stream record with these images.

    A job can be created again after it expired, with the same id, because its idempotency key determines
    the id. So the time of creation is the higher part of the sequence, and the version the lower part.
    """
    job = from_item(new or old or {})
    expires_at = job.get("expires_at")
    if not conforms(job, CountedFields) or not conforms(expires_at, int | None):
        raise ValueError("a field has another type")
    sequence = job["created_at"] * MAX_VERSION + job["version"]
    status = job["status"] if new else GONE
    tombstone_until = None if expires_at is None else expires_at + TOMBSTONE_SECONDS
    return Mark(job["owner"], status, sequence + (0 if new else 1), tombstone_until)
