"""Count jobs by kind, status and error code, exactly, from the table's stream.

For every job the ledger has a mark: the version of the job, and how it is counted. A batch moves
marks and counters in one transaction, on the condition that each mark is still the one that the batch has
read. Therefore the counts are exact:

- A record that is delivered again, in a batch that was bisected or retried, or after a newer record of the
  same job, finds a mark that is at least as new as itself. It changes nothing.
- Two concurrent batches cannot move the same mark.
- A counter always equals the number of marks that name it. Once the stream has been read, the mark of
  each job is its last version.

A change that does not affect how a job is counted, such as progress, is skipped.

A job that expires leaves its mark as a tombstone. The tombstone expires later than the stream's records
(24 hours), so that a late record cannot count the job again.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypedDict

from functions.common.attributes import Item, from_item
from functions.common.decode import conforms
from functions.common.errors import Damaged, WriteConflict
from functions.common.job import Status
from functions.common.ledger import Ledger
from functions.common.marks import GONE, UNCOUNTED, Mark, counted_for
from functions.common.observability import count, logger, report_damaged

ITEMS_PER_TRANSACTION = 100
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"""
MAX_ATTEMPTS = 5
TOMBSTONE_SECONDS = 3 * 24 * 3600
MAX_VERSION = 1_000_000
"""Versions that fit between two milliseconds of creation."""


OPTIONAL = ("expires_at", "error")


class CountedFields(TypedDict):
    """The fields of a job's image that counting needs."""

    owner: str
    kind: str
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
        for batch in _transactions(_newest_marks(records)):
            self._count_batch(batch)

    def _count_batch(self, newest: dict[str, Mark]) -> None:
        """Move the marks of one transaction. Read them again if another batch has moved one of them first."""
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


def _transactions(marks: dict[str, Mark]) -> Iterator[dict[str, Mark]]:
    """Yield as many marks at a time as fit into a transaction together with their owners' counters."""
    batch: dict[str, Mark] = {}
    owners: set[str] = set()
    for job_id, mark in marks.items():
        owners.update(counted_for(mark.owner))
        if len(batch) + 1 + len(owners) > ITEMS_PER_TRANSACTION:
            yield batch
            batch, owners = {}, {*counted_for(mark.owner)}
        batch[job_id] = mark
    if batch:
        yield batch


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
        if mark and mark.sequence > newest.get(job_id, UNCOUNTED).sequence:
            newest[job_id] = mark
    return newest


def _parse_record(record: dict[str, Any]) -> tuple[str, Mark | None]:
    """Return the job id and its mark, or None if it is counted as before. Raises Damaged."""
    try:
        change = record["dynamodb"]
        new, old = change.get("NewImage"), change.get("OldImage")
        mark = _mark(new, old)
        unchanged = new and old and _mark(old, None).counters == mark.counters
        return str(change["Keys"]["id"]["S"]), None if unchanged else mark
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Damaged(f"not a change of a job: {error!r}") from error


def _mark(new: Item | None, old: Item | None) -> Mark:
    """Return the mark for a stream record with these images.

    A job can be created again after it expired, with the same id, because its idempotency key determines
    the id. So the time of creation is the higher part of the sequence, and the version the lower part.
    """
    image = new or old or {}
    job = from_item(
        {name: image[name] for name in (*CountedFields.__annotations__, *OPTIONAL) if name in image}
    )
    expires_at, error = job.get("expires_at"), job.get("error")
    code = error["code"] if error else ""
    if not (conforms(job, CountedFields) and conforms(expires_at, int | None) and conforms(code, str)):
        raise ValueError("a field has another type")
    sequence = job["created_at"] * MAX_VERSION + job["version"]
    status = job["status"] if new else GONE
    tombstone_until = None if expires_at is None else expires_at + TOMBSTONE_SECONDS
    return Mark(job["owner"], job["kind"], status, sequence + (0 if new else 1), code, tombstone_until)
