"""The job: what it holds, what is shown of it, and how it lies in the table."""

import json
import unicodedata
from dataclasses import asdict, dataclass
from typing import Any, Literal
from zlib import crc32

from functions.common.attributes import Item, from_item, to_item

Status = Literal["pending", "resolved", "error", "cancelled"]
STATUSES: tuple[Status, ...] = ("pending", "resolved", "error", "cancelled")

PUBLIC_OWNER = "public"
"""The owner of every job while there is no sign-in."""

SHARDS = 4
"""Partitions an owner's index entries are spread over: one takes 1,000 writes a second.

Readers ask them all and merge. May grow, must never shrink: entries keep the shard they were written to.
"""

MAX_TOPIC = 200
RETENTION_SECONDS = 30 * 24 * 3600
"""After so long the table forgets a job, and its idempotency key with it."""

SHOWN = (
    "id", "status", "query", "result", "photo", "error",
    "deferred_until", "created_at", "updated_at", "version",
)  # fmt: skip
"""The contract's fields, in the order they are shown."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job. Times are epoch ms, except `expires_at`: epoch seconds, as DynamoDB's TTL wants.

    `run` counts how often it was made pending (1, and one more with each retry), so that a message of
    an earlier run changes nothing. `attempts` counts real tries of the current run, `rescues` how often
    the watchdog has queued it again. `due_at` is when its message is to be worked. `fingerprint` is of the
    request that made it, to tell a repeated request from another one under the same key.
    `correlation_id` is API Gateway's id of that request: the thread through the logs, kept for life.
    """

    id: str
    query: str
    created_at: int
    updated_at: int
    expires_at: int
    status: Status = "pending"
    owner: str = PUBLIC_OWNER
    result: str | None = None
    photo: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    deferred_until: int | None = None
    version: int = 1
    run: int = 1
    attempts: int = 0
    rescues: int = 0
    due_at: int | None = None
    delay_seconds: int = 0
    fingerprint: str = ""
    correlation_id: str = ""

    def shown(self) -> dict[str, Any]:
        """The job as the contract shows it, in REST and in events."""
        return {name: getattr(self, name) for name in SHOWN}

    def to_item(self) -> Item:
        """The table's item: the fields and the keys of the indexes. An ended job has no `due_at`, and so
        no place in the by-due index."""
        values = {**asdict(self), **index_keys(self)}
        if self.due_at is None:
            del values["due_at"]
        return to_item(values)

    @classmethod
    def from_item(cls, item: Item) -> "Job":
        """From an item or a stream image. Raises TypeError if it is no job's.

        Attributes that this version does not know are left out: while a deployment goes on, a relay
        reads what a newer function has written.
        """
        return cls(**from_item({name: item[name] for name in cls.__dataclass_fields__ if name in item}))


def shard(owner: str, job_id: str) -> str:
    """The index partition of a job, the same for life."""
    return shards(owner)[crc32(job_id.encode()) % SHARDS]


def shards(owner: str) -> list[str]:
    """All index partitions of an owner."""
    return [f"{owner}#{number}" for number in range(SHARDS)]


def status_shard(shard_key: str, status: Status) -> str:
    """The partition of the by-status index."""
    return f"{shard_key}#{status}"


def created_key(created_at: int, job_id: str) -> str:
    """Sorts by time of creation, unique even within one millisecond."""
    return f"{created_at:013d}#{job_id}"


def index_keys(job: Job) -> dict[str, str]:
    """The attributes that the indexes are keyed by, besides `updated_at` and `due_at`."""
    key = shard(job.owner, job.id)
    return {
        "list_shard": key,
        "status_shard": status_shard(key, job.status),
        "created_key": created_key(job.created_at, job.id),
    }


def to_json(value: Any) -> str:
    """Compact JSON on one line, the form of messages and events."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def topic(query: str) -> str:
    """The normal form of a query, under which jobs share requests and spare photos."""
    # one character may become eighteen, and a key of the ledger holds 2,048 bytes
    return " ".join(unicodedata.normalize("NFKC", query).casefold().split())[:MAX_TOPIC]
