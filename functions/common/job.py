"""The job: its fields, its public view, and its form in the jobs table."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Literal, TypedDict, TypeVar
from zlib import crc32

from functions.common.attributes import Item, from_item, to_item
from functions.common.decode import conforms, is_encodable, type_hints
from functions.common.errors import Damaged
from functions.common.identity import PUBLIC_OWNER as PUBLIC_OWNER

T = TypeVar("T")

Status = Literal["pending", "resolved", "error", "cancelled"]
STATUSES: tuple[Status, ...] = ("pending", "resolved", "error", "cancelled")

PHOTO = "photo"
"""The kind of a job that names none. Its jobs also have the fields of the first contract."""

SHARDS = 4
"""Partitions over which an owner's index entries are spread: each takes 1,000 writes per second.

Readers query all of them and merge. The number may grow but must never shrink, because entries stay in the
shard to which they were written.
"""

MAX_JSON = 32 * 1024
"""Bytes of the input, and of the output, of a job as JSON. A stream record has both images of a job, and an
event of SNS at most 256 KB."""
MAX_DEPTH = 64
"""Levels to which input and output may be nested. Python's own limits differ between versions, and what one
function accepts, all others must be able to read."""
DAY = 24 * 3600 * 1000
"""Milliseconds."""
RETENTION_SECONDS = 30 * 24 * 3600
"""How long after its end the table deletes a job, and its idempotency key with it."""

PUBLIC_FIELDS = (
    "id", "kind", "status", "input", "output", "progress", "error",
    "starts_at", "deferred_until", "created_at", "updated_at", "version",
)  # fmt: skip
"""The fields of a job in the API's contract, in their order."""


class Progress(TypedDict):
    """How far the work of a pending job is: from 0 to 1, or None if that is not known."""

    fraction: float | None
    message: str | None


class Failure(TypedDict):
    """Why the latest failed attempt of a run failed, and when (epoch ms)."""

    at: int
    code: str
    message: str


class JobError(TypedDict):
    """Why a job ended in `error`. `code` is for programs, `message` for people."""

    code: str
    message: str
    attempts: int


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job. Times are epoch ms, except `expires_at`: epoch seconds, as DynamoDB's TTL requires.

    `run` counts how often the job was made pending: 1, plus 1 for each retry by a caller. A message of an
    earlier run has no effect. `attempts` counts the failed attempts of the current run.

    A pending job has a time at which its work may start (`due_at`) and a time at which its next wake-up may
    be sent (`wake_at`), see functions/common/wake.py. A `parked` job waits in the table: no message has been
    sent for its due time. `rescues` counts the wake-ups that were sent although no other message was waiting,
    since a worker last reported on the job. A pending job never expires.

    `input` and `output` have the form that the kind declares; the table has them as JSON. `progress` is set
    while the work of a pending job runs.

    `failure` is the latest failed attempt, `started_at` when the latest attempt began whose outcome was
    recorded. Both are for the job's history.

    `notify` is the URL of the webhook that is called when the job ends. It is not shown, because it may
    contain a secret.
    `fingerprint` is that of the request that created it; it tells a repeated request from a different one
    with the same key. `caller` is who this run is charged to: see caller.py.
    `correlation_id` is API Gateway's id of the request. Every log line of the job has it. It never changes.
    """

    id: str
    input: dict[str, Any]
    created_at: int
    updated_at: int
    expires_at: int | None = None
    status: Status = "pending"
    owner: str = PUBLIC_OWNER
    kind: str = PHOTO
    output: dict[str, Any] | None = None
    progress: Progress | None = None
    error: JobError | None = None
    deferred_until: int | None = None
    version: int = 1
    run: int = 1
    attempts: int = 0
    rescues: int = 0
    due_at: int | None = None
    wake_at: int | None = None
    parked: bool = False
    delay_seconds: int = 0
    failure: Failure | None = None
    started_at: int | None = None
    notify: str | None = None
    fingerprint: str = ""
    caller: str = ""
    correlation_id: str = ""

    @property
    def starts_at(self) -> int | None:
        """When the work of a delayed job begins (epoch ms)."""
        return self.created_at + 1000 * self.delay_seconds if self.delay_seconds else None

    def public_view(self) -> dict[str, Any]:
        """Return the job as the API's contract defines it, for responses and events."""
        view = {name: getattr(self, name) for name in PUBLIC_FIELDS}
        if self.kind == PHOTO:  # the fields of the first contract
            result = self.output and self.output.get("regular")
            view |= {"query": self.input.get("query"), "result": result, "photo": self.output}
        return view

    def to_item(self) -> Item:
        """Return the table's item: the fields that are not None, and the keys of the indexes."""
        texts = {name: to_json(value) for name in TEXTS if (value := getattr(self, name)) is not None}
        return to_item({**asdict(self), **texts, **index_keys(self)})

    @classmethod
    def from_item(cls, item: Item) -> "Job":
        """Return the job of an item or a stream image. Raises Damaged if it does not hold a valid job.

        Unknown attributes are ignored: during a deployment a relay reads what a newer function has written.
        """
        return decode_item(cls, item, TEXTS)


TEXTS = ("input", "output")
"""The fields of a job that the table has as JSON."""


def decode_item(kind: type[T], item: Item, texts: Iterable[str]) -> T:
    """Return the dataclass of an item's attributes. `texts` are those that are JSON. Raises Damaged."""
    hints, name_of_kind = type_hints(kind), kind.__name__.lower()
    try:
        values = from_item({name: item[name] for name in hints if name in item})
        values |= {name: parse_object(values[name]) for name in texts if name in values}
        decoded = kind(**values)
    except (TypeError, ValueError, AttributeError, KeyError, RecursionError) as error:
        raise Damaged(f"not a {name_of_kind}: {error!r}") from error
    wrong = [name for name, value in values.items() if not conforms(value, hints[name])]
    if wrong:
        raise Damaged(f"not a {name_of_kind}: {', '.join(wrong)} of another type or too large")
    return decoded


def is_job(item_id: str) -> bool:
    """Return whether an item of the table with this id is a job. Ids of other items have a `#`."""
    return "#" not in item_id


def shard_number(job_id: str) -> int:
    """Return the number of a job's index partitions. It never changes."""
    return crc32(job_id.encode()) % SHARDS


def shards(prefix: str) -> list[str]:
    """Return all index partitions of an owner, or of `wait` or `sent`."""
    return [f"{prefix}#{number}" for number in range(SHARDS)]


def day_of(time: int) -> int:
    """Return the day of a time (epoch ms): the number of days since 1970."""
    return time // DAY


def all_shards(day: int) -> list[str]:
    """Return the index partitions of the jobs that all owners who are signed in created on a day."""
    return shards(str(day))


def created_key(created_at: int, job_id: str) -> str:
    """Return a sort key by time of creation. It is unique even within one millisecond."""
    return f"{created_at:013d}#{job_id}"


def index_keys(job: Job) -> dict[str, str | int | None]:
    """Return the attributes that only serve as keys of indexes."""
    number = shard_number(job.id)
    return {
        "list_shard": f"{job.owner}#{number}",
        "created_key": created_key(job.created_at, job.id),
        "changed_at": job.updated_at,
        "code": job.error["code"] if job.error else None,
        **status_keys(job.owner, job.kind, job.status, job.id),
        # without sign-in, the list of the only owner is the list of all jobs
        "all_shard": None if job.owner == PUBLIC_OWNER else all_shards(day_of(job.created_at))[number],
        "due_shard": due_shard(job.id, job.parked) if job.wake_at is not None else None,
    }


def status_keys(owner: str, kind: str, status: Status, job_id: str) -> dict[str, str]:
    """Return the partitions of the indexes by status, and by kind and status."""
    number = shard_number(job_id)
    return {
        "status_shard": f"{owner}#{number}#{status}",
        "kind_shard": f"{owner}#{number}#{kind}#{status}",
    }


def due_shard(job_id: str, parked: bool) -> str:
    """Return the partition of the by-due index. Parked jobs have their own: neither starves the other."""
    return shards("wait" if parked else "sent")[shard_number(job_id)]


def to_json(value: Any) -> str:
    """Return compact JSON on one line, the form of messages and events."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def parse_object(text: str) -> dict[str, Any]:
    """Return the object of a JSON text. Raises ValueError, also if it could not be stored or sent again.

    Raises TypeError if it is not a text.
    """
    value = json.loads(text, parse_constant=_refuse_number, parse_float=_finite)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    if not is_encodable(text) or ("\\u" in text and not is_encodable(to_json(value))):
        raise ValueError("text that UTF-8 cannot encode")
    if text.count("{") + text.count("[") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
    return value


def _is_deeper(value: Any, depth: int) -> bool:
    """Return whether objects and lists are nested more than `depth` levels deep."""
    level = [value]
    for _ in range(depth):
        inner = [item.values() if isinstance(item, dict) else item for item in level]
        level = [child for children in inner for child in children if isinstance(child, (dict, list))]
    return bool(level)


def _finite(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _refuse_number(text)


def _refuse_number(text: str) -> float:
    raise ValueError(f"{text} is not a number of JSON")
