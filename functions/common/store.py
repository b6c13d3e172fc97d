"""The jobs table. Every write of a job's state is here, and every write is conditional.

The table is the source of truth. Messages and events may be repeated, late or out of order. A job is changed
only while it is `pending` and in the run that the writer expects, so a repeated message has no effect. The
table's stream publishes each change that was made.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.attributes import Item, from_item, to_attribute
from functions.common.clock import Clock, now_ms
from functions.common.errors import Damaged
from functions.common.job import (
    PUBLIC_OWNER,
    RETENTION_SECONDS,
    STATUSES,
    Job,
    JobError,
    Progress,
    Status,
    due_shard,
    shards,
    status_keys,
)
from functions.common.messages import JobMessage, ResultMessage, job_message, log_fields
from functions.common.observability import logger, report_damaged
from functions.common.table import Table, assign

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

UpdateOutcome = Job | Literal["unchanged", "failed", "refused"]
"""The outcome of an update: the job as it is now, or why it was not updated. A `refused` one can never be."""

CreateOutcome = Literal["created", "exists", "failed"]

READ_BATCH = 100
"""BatchGetItem takes 100 keys:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""
MAX_PARALLEL_UPDATES = 10
"""botocore keeps ten connections."""
ENDED = ("due_at", "wake_at", "due_shard", "deferred_until", "progress")
"""What only a pending job has."""
LAST_CREATED_KEY = "9999999999999#~"
"""Sorts after every created_key."""


@dataclass(frozen=True)
class JobUpdate:
    """New values for the pending job that `message` names. A field set to None is removed.

    A `visible` update increments the job's version and is published; others are internal bookkeeping. If it
    is only `progress`, `changed_at` stays, so that it costs no write to an index. With `due_at` the update is
    made only if the job's `due_at` still has that value: of several messages about the same due time, only
    the first changes the job.
    """

    message: JobMessage
    values: dict[str, Any]
    visible: bool | Literal["progress"] = True
    due_at: int | None = None


def due(due_at: int, *, parked: bool = False) -> dict[str, Any]:
    """Return the values that set when a job's work may start (epoch ms)."""
    return {"due_at": due_at, "wake_at": due_at, "parked": parked, "rescues": 0}


def resolved(message: ResultMessage) -> JobUpdate:
    """Return the update that ends a job with its result."""
    return JobUpdate(
        message, {"status": "resolved", "output": message.output, "started_at": message.started_at}
    )


def progressed(job: Job, progress: Progress) -> JobUpdate:
    """Return the update that publishes how far the current attempt is."""
    return JobUpdate(job_message(job), {"progress": progress}, visible="progress", due_at=job.due_at)


def failed(message: JobMessage, error: JobError, started_at: int | None = None) -> JobUpdate:
    """Return the update that ends a job with an error. `started_at` is when its last attempt began."""
    return JobUpdate(message, {"status": "error", "error": error, "started_at": started_at})


@dataclass(frozen=True)
class ListPartition:
    """A partition of an index that is sorted by creation."""

    index: str
    attribute: str
    value: str


def list_partitions(owner: str, status: Status | None, kind: str | None) -> list[ListPartition]:
    """Return the partitions that together hold an owner's jobs of a status, a kind, both, or all."""
    if kind:
        statuses = [status] if status else STATUSES
        return [
            ListPartition("by-kind", "kind_shard", f"{shard}#{kind}#{name}")
            for shard in shards(owner)
            for name in statuses
        ]
    if status:
        return [ListPartition("by-status", "status_shard", f"{shard}#{status}") for shard in shards(owner)]
    return [ListPartition("by-created", "list_shard", shard) for shard in shards(owner)]


class JobStore:
    """The jobs table behind a boto3 DynamoDB client.

    Jobs are read consistently. An index only names jobs, and it may be behind the table: read the jobs with
    `get_many`, and check that they still match.
    """

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        table: str,
        clock: Clock = now_ms,
        on_damaged: Callable[[str, str, Exception], object] = report_damaged,
    ) -> None:
        self._table = Table(dynamodb, table)
        self._clock = clock
        self._on_damaged = on_damaged
        self._pool = ThreadPoolExecutor(MAX_PARALLEL_UPDATES)

    def create(self, job: Job) -> bool:
        """Write a new job. Return False if its id exists already. Raises botocore's errors."""
        return self._table.create(job.to_item(), key_name="id")

    def create_all(self, jobs: list[Job]) -> list[CreateOutcome]:
        """Write new jobs in parallel. Return the outcomes in the order of `jobs`."""
        return list(self._pool.map(self._try_create, jobs))

    def _try_create(self, job: Job) -> CreateOutcome:
        try:
            return "created" if self.create(job) else "exists"
        except (BotoCoreError, ClientError) as error:
            logger.error("job not written", extra=log_fields(job_message(job), reason=str(error)))
            return "failed"

    def get(self, job_id: str, owner: str | None = None) -> Job | None:
        """Return the job as it is now, or None if it does not exist or is not the given owner's.

        Raises Damaged. The owner is checked first: a caller must not learn that another's job is damaged.
        """
        item = self._table.get(_key(job_id))
        if item is None or owner not in (None, item.get("owner", {}).get("S", PUBLIC_OWNER)):
            return None
        return Job.from_item(item)

    def get_many(self, job_ids: Iterable[str]) -> dict[str, Job]:
        """Return the existing jobs by id, as they are now, with one call per 100 ids.

        Damaged jobs are reported and left out.
        """
        ids = list(dict.fromkeys(job_ids))
        jobs: dict[str, Job] = {}
        batches = [ids[start : start + READ_BATCH] for start in range(0, len(ids), READ_BATCH)]
        for items in self._pool.map(self._read, batches):
            jobs |= {job.id: job for item in items if (job := self._decode(item))}
        return jobs

    def _read(self, ids: list[str]) -> list[Item]:
        return self._table.get_many([_key(job_id) for job_id in ids])

    def _decode(self, item: Item) -> Job | None:
        try:
            return Job.from_item(item)
        except Damaged as reason:
            self._on_damaged("jobs table", str(item.get("id")), reason)
            return None

    # --- index reads ---

    def created_before(self, partition: "ListPartition", key: str, limit: int) -> list[str]:
        """Return created_keys below `key`, newest first, at most `limit`, of one partition of a list."""
        return [entry["created_key"] for entry in self.entries_before(partition, key, limit)]

    def entries_before(self, partition: "ListPartition", key: str, limit: int) -> list[dict[str, Any]]:
        """Return the same as `created_before`, with all attributes that the index has."""
        condition = f"{partition.attribute} = :partition AND created_key < :key"
        values = {":partition": partition.value, ":key": key}
        pages = self._table.query(partition.index, condition, values, newest_first=True, page_size=limit)
        return list(islice((from_item(item) for page in pages for item in page), limit))

    def oldest_key(self, partition: "ListPartition") -> str | None:
        """Return the created_key of the oldest job of a partition of a list, or None if it is empty."""
        condition, values = f"{partition.attribute} = :partition", {":partition": partition.value}
        page = next(self._table.query(partition.index, condition, values, page_size=1), [])
        return str(from_item(page[0])["created_key"]) if page else None

    def changed_since(self, shard_key: str, start: int, limit: int) -> list[str]:
        """Return the ids of jobs updated at or after `start` (epoch ms), newest first, at most `limit`."""
        condition = "list_shard = :shard AND changed_at >= :start"
        values = {":shard": shard_key, ":start": start}
        ids: list[str] = []
        for page in self._table.query("by-updated", condition, values, newest_first=True, page_size=limit):
            ids += _ids(page)
            if len(ids) >= limit:
                break
        return ids[:limit]

    def due_until(self, partition: str, latest: int) -> Iterator[dict[str, int]]:
        """Yield what must be woken until `latest` (epoch ms): `wake_at` by id, 100 per call.

        These are pending jobs, and in the partitions of parked jobs also schedules.
        """
        values = {":partition": partition, ":latest": latest}
        condition = "due_shard = :partition AND wake_at <= :latest"
        for page in self._table.query("by-due", condition, values, page_size=READ_BATCH):
            yield {item["id"]["S"]: int(item["wake_at"]["N"]) for item in page}

    # --- conditional writes ---

    def update_all(self, updates: list[JobUpdate]) -> list[UpdateOutcome]:
        """Update each job in parallel if it is pending and in the run of its update.

        Return the outcomes in the order of `updates`: the job as it is now; `unchanged` if it had already
        ended or does not exist; `failed` if the write should be retried; `refused` if DynamoDB will never
        accept it.
        """
        return list(
            self._pool.map(
                lambda update: self._try(update.message, lambda: self._update_pending(update)), updates
            )
        )

    def cancel_all(self, jobs: list[Job]) -> list[UpdateOutcome]:
        """Cancel jobs in parallel. Return the outcomes in the order of `jobs`, like `update_all`."""
        return list(self._pool.map(lambda job: self._try(job_message(job), lambda: self.cancel(job)), jobs))

    def reopen_all(self, jobs: list[tuple[Job, str]]) -> list[UpdateOutcome]:
        """Reopen jobs for their callers in parallel. Return the outcomes, like `update_all`."""
        return list(
            self._pool.map(lambda pair: self._try(job_message(pair[0]), lambda: self.reopen(*pair)), jobs)
        )

    def cancel(self, job: Job) -> Job | None:
        """End a pending job as `cancelled`. Return None if it has ended. Raises botocore's errors."""
        return self._update_pending(JobUpdate(job_message(job), {"status": "cancelled", "started_at": None}))

    def reopen(self, job: Job, caller: str) -> Job | None:
        """Make a job in `error` or `cancelled` pending again, in a new run.

        Return None if the job has changed since it was read. Raises botocore's errors.
        """
        now = self._clock()
        values = {
            "status": "pending",
            **status_keys(job.owner, job.kind, "pending", job.id),
            **due(now),
            "due_shard": due_shard(job.id, parked=False),
            "run": job.run + 1,
            "attempts": 0,
            "caller": caller,
            "error": None,
            "code": None,
            "failure": None,
            "started_at": None,
            "expires_at": None,
            **_changed(now),
        }
        condition = "#status IN (:error, :cancelled) AND #run = :run"
        expected = {":error": "error", ":cancelled": "cancelled", ":run": job.run}
        return self._update(job.id, values, condition, expected, new_version=True)

    def _try(self, message: JobMessage, write: Callable[[], Job | None]) -> UpdateOutcome:
        try:
            return write() or "unchanged"
        except (BotoCoreError, ClientError) as error:
            logger.error("update not written", extra=log_fields(message, reason=str(error)))
            return "refused" if _is_invalid(error) else "failed"
        except Damaged as reason:  # the update was written, but the job has a damaged field
            self._on_damaged("jobs table", message.job_id, reason)
            return "unchanged"
        except Exception:  # noqa: BLE001  # one update must not affect the others
            logger.exception("update failed unexpectedly", extra=log_fields(message))
            return "failed"

    def _update_pending(self, update: JobUpdate) -> Job | None:
        message, values, now = update.message, dict(update.values), self._clock()
        condition = "#status = :pending AND #run = :run"
        expected: dict[str, Any] = {":pending": "pending", ":run": message.run}
        if update.visible:
            values |= {"updated_at": now} if update.visible == "progress" else _changed(now)
        if "parked" in values:
            values["due_shard"] = due_shard(message.job_id, values["parked"])
        if "status" in values:
            values |= status_keys(message.owner, message.kind, values["status"], message.job_id)
            values |= dict.fromkeys(ENDED)
            values["expires_at"] = now // 1000 + RETENTION_SECONDS
            values["code"] = values["error"]["code"] if "error" in values else None
        if update.due_at is not None:
            condition += " AND due_at = :expected_due_at"
            expected[":expected_due_at"] = update.due_at
        return self._update(message.job_id, values, condition, expected, new_version=bool(update.visible))

    def _update(
        self,
        job_id: str,
        values: dict[str, Any],
        condition: str,
        expected: dict[str, Any],
        *,
        new_version: bool,
    ) -> Job | None:
        """Return the job after one conditional update, or None if the condition does not hold."""
        increment = {":one": 1} if new_version else {}
        expression, names, new_values = assign(values, *(["version = version + :one"] if new_version else []))
        item = self._table.update(
            _key(job_id),
            expression,
            condition,
            new_values | expected | increment,
            names={"#status": "status", "#run": "run"} | names,
            returns="ALL_NEW",
        )
        return None if item is None else Job.from_item(item)


def _changed(now: int) -> dict[str, int]:
    """Return the values of every visible update. `changed_at` is the key of the by-updated index."""
    return {"updated_at": now, "changed_at": now}


def _is_invalid(error: BotoCoreError | ClientError) -> bool:
    """Return whether DynamoDB refuses the values themselves, for example because the item is too large."""
    return isinstance(error, ClientError) and error.response["Error"]["Code"] == "ValidationException"


def _key(job_id: str) -> Item:
    return {"id": to_attribute(job_id)}


def _ids(items: list[Item]) -> list[str]:
    return [item["id"]["S"] for item in items]
