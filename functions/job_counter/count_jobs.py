"""Count jobs by kind, status and error code, exactly, and record their histories, from the table's stream.

For every job the ledger has a mark: the step of the job's life that is recorded, how it is counted, and its
history. A batch moves marks and counters in one transaction, on the condition that each mark is still the one
that the batch has read. Therefore the counts are exact:

- A record that is delivered again, in a batch that was bisected or retried, or after a newer record of the
  same job, finds a mark that is at least as new as itself. It changes nothing.
- Two concurrent batches cannot move the same mark.
- A counter always equals the number of marks that name it. Once the stream has been read, the mark of
  each job is its last version.

The same transaction counts the changes that are newer than the mark into their minutes, and adds them to the
history. No change is missed there either, because the stream delivers the changes of a job in their order
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html): a record that is older than
the mark has been counted.

A change that affects neither the counts nor the history, such as progress, is skipped.

A job that expires leaves its mark as a tombstone. The tombstone expires later than the stream's records
(24 hours), so that a late record cannot count the job again.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from functions.common.errors import Damaged, WriteConflict
from functions.common.history import extend, from_text, to_text
from functions.common.ledger import Ledger
from functions.common.marks import GONE, UNCOUNTED, Mark, Move, counter_keys
from functions.common.observability import count, logger, report_damaged
from functions.job_counter.changes import Change, parse_record

ITEMS_PER_TRANSACTION = 100
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"""
MAX_ATTEMPTS = 5
Changes = dict[str, list[Change]]
"""By the id of the job."""


@dataclass(frozen=True)
class JobCounter:
    """Moves marks and counters in the ledger. `pick_shard` selects which of an owner's counters to update."""

    ledger: Ledger
    pick_shard: Callable[[int], int] = random.randrange

    def count(self, records: list[dict[str, Any]]) -> None:
        """Count a batch of stream records.

        Raises botocore's errors and WriteConflict. The batch may then be counted again.
        """
        for batch in _transactions(_changes(records)):
            self._count_batch(batch)

    def _count_batch(self, changes: Changes) -> None:
        """Move the marks of one transaction. Read them again if another batch has moved one of them first."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            stored = self.ledger.marks(changes)
            moves = {
                job_id: move
                for job_id, of_job in changes.items()
                if (move := _move(stored.get(job_id, UNCOUNTED), of_job))
            }
            if not moves:
                return
            try:
                self.ledger.move_marks(moves, self.pick_shard)
            except WriteConflict as conflict:
                if attempt == MAX_ATTEMPTS:
                    raise
                logger.info("count conflicted with another batch", extra={"reason": str(conflict)})
            else:
                count("ChangesCounted", len(moves))
                return


def _move(before: Mark, changes: list[Change]) -> Move | None:
    """Return how the changes that are newer than a job's mark move it, or None if none is."""
    by_step = {change.mark.step: change for change in changes if change.mark.step > before.step}
    if not by_step:
        return None
    newer = [by_step[step] for step in sorted(by_step)]
    mark = newer[-1].mark
    history = from_text(before.history) if mark.creation == before.creation else ()
    for change in newer:
        if change.mark.creation == mark.creation:
            history = extend(history, change.entries)
    events = tuple(event for change in newer for event in change.events)
    return Move(before, replace(mark, history="" if mark.status == GONE else to_text(history)), events)


def _transactions(changes: Changes) -> Iterator[Changes]:
    """Yield as many jobs at a time as fit into a transaction together with their owners' counters."""
    batch: Changes = {}
    keys: set[Any] = set()
    for job_id, of_job in changes.items():
        own = {key for change in of_job for key in counter_keys(change.mark.owner, change.events)}
        if batch and len(batch) + 1 + len(keys | own) > ITEMS_PER_TRANSACTION:
            yield batch
            batch, keys = {}, set()
        batch[job_id] = of_job
        keys |= own
    if batch:
        yield batch


def _changes(records: list[dict[str, Any]]) -> Changes:
    """Return the changes of each job in a batch. Damaged records are reported and left out."""
    changes: Changes = {}
    for record in records:
        try:
            job_id, change = parse_record(record)
        except Damaged as reason:
            report_damaged("jobs stream", str(record.get("eventID")), reason)
            continue
        if change:
            changes.setdefault(job_id, []).append(change)
    return changes
