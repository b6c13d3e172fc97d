"""The job: its fields, its public view, and its form in the jobs table."""

import json
import unicodedata
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypedDict
from zlib import crc32

from functions.common.attributes import Item, from_item, to_item
from functions.common.decode import conforms, type_hints
from functions.common.errors import Damaged

Status = Literal["pending", "resolved", "error", "cancelled"]
STATUSES: tuple[Status, ...] = ("pending", "resolved", "error", "cancelled")

PUBLIC_OWNER = "public"
"""The owner of every job, because there is no sign-in yet."""

SHARDS = 4
"""Partitions over which an owner's index entries are spread: each takes 1,000 writes per second.

Readers query all of them and merge. The number may grow but must never shrink, because entries stay in the
shard to which they were written.
"""

MAX_TOPIC = 200
RETENTION_SECONDS = 30 * 24 * 3600
"""The table deletes a job, and its idempotency key with it, after this time."""

PUBLIC_FIELDS = (
    "id", "status", "query", "result", "photo", "error",
    "deferred_until", "created_at", "updated_at", "version",
)  # fmt: skip
"""The fields of a job in the API's contract, in their order."""


class Photographer(TypedDict):
    """Who took a photo. `url` is their profile on Unsplash."""

    name: str
    url: str


class Photo(TypedDict):
    """A photo in the form of the API's contract. `small` and `regular` are URLs of images."""

    id: str
    width: int
    height: int
    color: str | None
    blur_hash: str | None
    alt: str | None
    small: str
    regular: str
    photographer: Photographer
    page: str


class JobError(TypedDict):
    """Why a job ended in `error`. `code` is for programs, `message` for people."""

    code: str
    message: str
    attempts: int


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job. Times are epoch ms, except `expires_at`: epoch seconds, as DynamoDB's TTL requires.

    `run` counts how often the job was made pending: 1, plus 1 for each retry by a caller. A message of an
    earlier run has no effect. `attempts` counts the attempts of the current run, `rescues` how often the
    watchdog has queued it again. `due_at` is when its message should be processed. `fingerprint` is that of
    the request that created it; it tells a repeated request from a different one with the same key.
    `correlation_id` is API Gateway's id of that request. Every log line of the job has it. It never changes.
    """

    id: str
    query: str
    created_at: int
    updated_at: int
    expires_at: int
    status: Status = "pending"
    owner: str = PUBLIC_OWNER
    result: str | None = None
    photo: Photo | None = None
    error: JobError | None = None
    deferred_until: int | None = None
    version: int = 1
    run: int = 1
    attempts: int = 0
    rescues: int = 0
    due_at: int | None = None
    delay_seconds: int = 0
    fingerprint: str = ""
    correlation_id: str = ""

    def public_view(self) -> dict[str, Any]:
        """Return the job as the API's contract defines it, for responses and events."""
        return {name: getattr(self, name) for name in PUBLIC_FIELDS}

    def to_item(self) -> Item:
        """Return the table's item: the fields and the keys of the indexes.

        A job that has ended has no `due_at`, which keeps it out of the by-due index.
        """
        values = {**asdict(self), **index_keys(self)}
        if self.due_at is None:
            del values["due_at"]
        return to_item(values)

    @classmethod
    def from_item(cls, item: Item) -> "Job":
        """Return the job of an item or a stream image. Raises Damaged if it does not hold a valid job.

        Unknown attributes are ignored: during a deployment a relay reads what a newer function has written.
        """
        hints = type_hints(cls)
        try:
            values = from_item({name: item[name] for name in hints if name in item})
            job = cls(**values)
        except (TypeError, ValueError, AttributeError, KeyError, RecursionError) as error:
            raise Damaged(f"not a job: {error!r}") from error
        wrong = [name for name, value in values.items() if not conforms(value, hints[name])]
        if wrong:
            raise Damaged(f"not a job: {', '.join(wrong)} of another type or too large")
        return job


def shard(owner: str, job_id: str) -> str:
    """Return the index partition of a job. It never changes."""
    return shards(owner)[crc32(job_id.encode()) % SHARDS]


def shards(owner: str) -> list[str]:
    """Return all index partitions of an owner."""
    return [f"{owner}#{number}" for number in range(SHARDS)]


def status_shard(shard_key: str, status: Status) -> str:
    """Return the partition of the by-status index for a shard and a status."""
    return f"{shard_key}#{status}"


def created_key(created_at: int, job_id: str) -> str:
    """Return a sort key by time of creation. It is unique even within one millisecond."""
    return f"{created_at:013d}#{job_id}"


def index_keys(job: Job) -> dict[str, str]:
    """Return the attributes that only serve as keys of indexes. `updated_at` and `due_at` are keys too."""
    key = shard(job.owner, job.id)
    return {
        "list_shard": key,
        "status_shard": status_shard(key, job.status),
        "created_key": created_key(job.created_at, job.id),
    }


def to_json(value: Any) -> str:
    """Return compact JSON on one line, the form of messages and events."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def topic(query: str) -> str:
    """Return the normalized form of a query. Jobs with the same topic share requests and spare photos."""
    # normalization can turn one character into eighteen, and a key of the ledger holds 2,048 bytes
    return " ".join(unicodedata.normalize("NFKC", query).casefold().split())[:MAX_TOPIC]
