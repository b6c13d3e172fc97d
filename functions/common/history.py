"""A job's history: its recorded changes. job_counter keeps it in the job's mark.

An entry follows from the two images of one change, so it is the same however often the change is delivered.
A history has at most 20 entries: the first one, and the latest. Consecutive entries with the same status,
attempt and code are one entry, with the time of the first of them and the message of the last: that is how
a job that waits for a rate limit again and again has one entry per attempt for it.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from functions.common.attributes import Item, from_item
from functions.common.decode import conforms, type_hints
from functions.common.job import Failure, JobError, Status, to_json

MAX_ENTRIES = 20
MAX_MESSAGE = 200
"""Characters of a message that are kept. Most marks then take one write unit of 1 KB."""
STARTED, DEFERRED, RETRIED = "started", "deferred", "retried"
"""The codes of entries that are not errors: an attempt began, a wait for a rate limit, a caller's retry."""


@dataclass(frozen=True)
class HistoryEntry:
    """A change at `at` (epoch ms). `attempt` is that to which it belongs, from 1; 0 before the first.

    `code` and `message` are those of a failed attempt or job, or one of the codes above.
    """

    at: int
    status: Status
    attempt: int
    code: str | None = None
    message: str | None = None

    def public_view(self) -> dict[str, Any]:
        """Return the entry as the API's contract defines it."""
        return asdict(self)


History = tuple[HistoryEntry, ...]


@dataclass(frozen=True)
class RecordedFields:
    """The fields of a job's image of which its history is made. See Job."""

    status: Status
    created_at: int
    updated_at: int
    run: int = 1
    attempts: int = 0
    error: JobError | None = None
    deferred_until: int | None = None
    failure: Failure | None = None
    started_at: int | None = None

    @classmethod
    def of(cls, image: Item) -> "RecordedFields":
        """Read an image. Raises ValueError or TypeError if it does not have them."""
        hints = type_hints(cls)
        values = from_item({name: image[name] for name in hints if name in image})
        if not all(conforms(value, hints[name]) for name, value in values.items()):
            raise ValueError("a field has another type")
        return cls(**values)


def entries_of(old: RecordedFields | None, new: RecordedFields) -> History:
    """Return what a change adds to the history. A change of progress, for example, adds nothing."""
    if old is None:
        return (HistoryEntry(new.created_at, new.status, 0),)
    if new.run != old.run:
        return (HistoryEntry(new.updated_at, new.status, 0, RETRIED),)
    if new.status != old.status:
        return _end(new)
    if new.attempts > old.attempts:
        failure: Any = new.failure or {"at": new.updated_at, "code": None, "message": None}
        entry = HistoryEntry(
            failure["at"], new.status, new.attempts, failure["code"], _short(failure["message"])
        )
        return (*_start(new, new.attempts), entry)
    if new.deferred_until is not None and new.deferred_until != old.deferred_until:
        until = datetime.fromtimestamp(new.deferred_until / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return (HistoryEntry(new.updated_at, new.status, new.attempts, DEFERRED, f"until {until}"),)
    return ()


def _end(new: RecordedFields) -> History:
    if new.error is not None:
        attempt, error = new.error["attempts"], new.error
        end = HistoryEntry(new.updated_at, new.status, attempt, error["code"], _short(error["message"]))
    else:
        attempt = new.attempts + 1 if new.status == "resolved" else new.attempts
        end = HistoryEntry(new.updated_at, new.status, attempt)
    return (*_start(new, attempt), end)


def _start(new: RecordedFields, attempt: int) -> History:
    """Return when the attempt that has ended began. Its start was not a write."""
    if new.started_at is None:
        return ()
    return (HistoryEntry(new.started_at, "pending", attempt, STARTED),)


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"


def extend(history: History, entries: Iterable[HistoryEntry]) -> History:
    """Return the history with further entries."""
    extended = list(history)
    for entry in entries:
        last = extended[-1] if extended else None
        if last and (last.status, last.attempt, last.code) == (entry.status, entry.attempt, entry.code):
            extended[-1] = HistoryEntry(last.at, *list(asdict(entry).values())[1:])
        else:
            extended.append(entry)
    return tuple(extended[:1] + extended[1:][-(MAX_ENTRIES - 1) :])


def to_text(history: History) -> str:
    """Return the form in which a mark has the history: short, because every write of the mark has it."""
    return to_json([list(asdict(entry).values()) for entry in history]) if history else ""


def from_text(text: str) -> History:
    """Return the history of a mark."""
    return tuple(HistoryEntry(*values) for values in json.loads(text or "[]"))
