"""What a stream record says about a job: how it is counted, and what its history and the minutes record."""

from dataclasses import dataclass
from typing import Any, TypedDict

from functions.common.attributes import Item, from_item
from functions.common.decode import conforms
from functions.common.errors import Damaged
from functions.common.history import History, RecordedFields, entries_of
from functions.common.job import Status, is_job
from functions.common.marks import GONE, MAX_VERSION, Mark
from functions.common.minutes import Event

TOMBSTONE_SECONDS = 3 * 24 * 3600
OPTIONAL = ("expires_at", "error", "attempts", "delay_seconds", "run")


class CountedFields(TypedDict):
    """The fields of a job's image that counting needs."""

    owner: str
    kind: str
    status: Status
    created_at: int
    version: int


@dataclass(frozen=True)
class Change:
    """A change of a job: its mark after it, without a history, and what is recorded about it."""

    mark: Mark
    entries: History
    events: tuple[Event, ...]


def parse_record(record: dict[str, Any]) -> tuple[str, Change | None]:
    """Return the job id and the change, or None if it is not a job or nothing is recorded. Raises Damaged."""
    try:
        change = record["dynamodb"]
        job_id = str(change["Keys"]["id"]["S"])
        if not is_job(job_id):
            return job_id, None
        new, old = change.get("NewImage"), change.get("OldImage")
        mark = _mark(new, old)
        entries = _entries(new, old)
        unchanged = new and old and not entries and _mark(old, None).counters == mark.counters
        return job_id, None if unchanged else Change(mark, entries, _events(new, old))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError) as error:
        raise Damaged(f"not a change of a job: {error!r}") from error


def _mark(new: Item | None, old: Item | None) -> Mark:
    """Return the mark for a stream record with these images.

    A job can be created again after it expired, with the same id, because its idempotency key determines
    the id. So the time of creation is the higher part of the sequence, and the version the lower part.
    """
    job = _fields(new or old or {})
    expires_at, error = job.get("expires_at"), job.get("error")
    code = error["code"] if error else ""
    sequence = job["created_at"] * MAX_VERSION + job["version"]
    status = job["status"] if new else GONE
    return Mark(
        job["owner"],
        job["kind"],
        status,
        sequence + (0 if new else 1),
        code,
        None if expires_at is None else expires_at + TOMBSTONE_SECONDS,
        attempts=job.get("attempts", 0) if new else 0,
    )


def _fields(image: Item) -> dict[str, Any]:
    job = from_item(
        {name: image[name] for name in (*CountedFields.__annotations__, *OPTIONAL) if name in image}
    )
    numbers = [job.get(name) for name in ("expires_at", "attempts", "delay_seconds", "run")]
    code = (job.get("error") or {}).get("code", "")
    if not (
        conforms(job, CountedFields) and all(conforms(n, int | None) for n in numbers) and conforms(code, str)
    ):
        raise ValueError("a field has another type")
    return job


def _entries(new: Item | None, old: Item | None) -> History:
    if new is None:
        return ()
    return entries_of(RecordedFields.of(old) if old else None, RecordedFields.of(new))


def _events(new: Item | None, old: Item | None) -> tuple[Event, ...]:
    """Return what the minutes count. Retried jobs have no age: it would show when a caller retried them."""
    if new is None:
        return ()
    job, at = _fields(new), int(new["updated_at"]["N"])
    if old is None:
        return (Event("created", job["created_at"]),)
    if job["status"] == old["status"]["S"]:
        return ()
    if job["status"] == "resolved":
        age = at - job["created_at"] - 1000 * job.get("delay_seconds", 0)
        return (Event("resolved", at, age if job.get("run", 1) == 1 else None),)
    return (Event("failed", at),) if job["status"] == "error" else ()
