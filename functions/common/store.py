"""The jobs table. Every write of a job's state is here, and every write is conditional.

The table is the source of truth. Messages and events may be repeated, late or out of order. A job is changed
only while it is `pending` and in the run that the writer expects, so a repeated message has no effect. The
table's stream publishes each change that was made.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.attributes import Item, to_attribute
from functions.common.clock import Clock, now_ms
from functions.common.errors import Damaged
from functions.common.job import RETENTION_SECONDS, Job, JobError, Status, shard, status_shard
from functions.common.messages import JobMessage, ResultMessage, job_message, log_fields
from functions.common.observability import logger, report_damaged
from functions.common.table import Table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

UpdateOutcome = Job | Literal["unchanged", "failed"]
"""The outcome of an update: the job as it is now, or why it was not updated."""

READ_BATCH = 100
"""BatchGetItem takes 100 keys:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""
MAX_PARALLEL_UPDATES = 10
"""botocore keeps ten connections."""
LAST_CREATED_KEY = "9999999999999#~"
"""Sorts after every created_key."""


@dataclass(frozen=True)
class JobUpdate:
    """New values for the pending job that `message` names. A field set to None is cleared.

    A `visible` update increments the job's version and is published; others are internal bookkeeping. With
    `due_at` the update is made only if the job's `due_at` still has that value.
    """

    message: JobMessage
    values: dict[str, Any]
    visible: bool = True
    due_at: int | None = None


def resolved(message: ResultMessage) -> JobUpdate:
    """Return the update that ends a job with its result."""
    values = {
        "status": "resolved",
        "result": message.result,
        "photo": message.photo,
        "deferred_until": None,
    }
    return JobUpdate(message, values)


def failed(message: JobMessage, error: JobError) -> JobUpdate:
    """Return the update that ends a job with an error."""
    return JobUpdate(message, {"status": "error", "error": error, "deferred_until": None})


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

    def get(self, job_id: str) -> Job | None:
        """Return the job as it is now, or None if it does not exist. Raises Damaged."""
        item = self._table.get(_key(job_id))
        return None if item is None else Job.from_item(item)

    def get_many(self, job_ids: Iterable[str]) -> dict[str, Job]:
        """Return the existing jobs by id, as they are now, with one call per 100 ids.

        Damaged jobs are reported and left out.
        """
        ids = list(dict.fromkeys(job_ids))
        jobs: dict[str, Job] = {}
        for start in range(0, len(ids), READ_BATCH):
            items = self._table.get_many([_key(job_id) for job_id in ids[start : start + READ_BATCH]])
            jobs |= {job.id: job for item in items if (job := self._decode(item))}
        return jobs

    def _decode(self, item: Item) -> Job | None:
        try:
            return Job.from_item(item)
        except Damaged as reason:
            self._on_damaged("jobs table", str(item.get("id")), reason)
            return None

    # --- index reads ---

    def created_before(self, shard_key: str, status: Status | None, key: str, limit: int) -> list[str]:
        """Return created_keys below `key`, newest first, at most `limit`, of jobs in one status or in all."""
        index, attribute, partition = "by-created", "list_shard", shard_key
        if status:
            index, attribute, partition = "by-status", "status_shard", status_shard(shard_key, status)
        condition = f"{attribute} = :partition AND created_key < :key"
        values = {":partition": partition, ":key": key}
        pages = self._table.query(index, condition, values, newest_first=True, page_size=limit)
        return list(islice((item["created_key"]["S"] for page in pages for item in page), limit))

    def changed_since(self, shard_key: str, start: int, limit: int) -> list[str]:
        """Return the ids of jobs updated at or after `start` (epoch ms), newest first, at most `limit`."""
        condition = "list_shard = :shard AND updated_at >= :start"
        values = {":shard": shard_key, ":start": start}
        ids: list[str] = []
        for page in self._table.query("by-updated", condition, values, newest_first=True):
            ids += _ids(page)
            if len(ids) >= limit:
                break
        return ids[:limit]

    def due_until(self, shard_key: str, latest: int, limit: int) -> list[str]:
        """Return the ids of at most `limit` pending jobs due by `latest` (epoch ms). It takes one call."""
        condition = "list_shard = :shard AND due_at <= :latest"
        values = {":shard": shard_key, ":latest": latest}
        return _ids(next(self._table.query("by-due", condition, values, page_size=limit), []))

    # --- conditional writes ---

    def update_all(self, updates: list[JobUpdate]) -> list[UpdateOutcome]:
        """Update each job in parallel if it is pending and in the run of its update.

        Return the outcomes in the order of `updates`: the job as it is now; `unchanged` if it had already
        ended or does not exist; `failed` if the write should be retried.
        """
        return list(self._pool.map(self._try_update, updates))

    def cancel(self, job: Job) -> Job | None:
        """End a pending job as `cancelled`. Return None if it has ended. Raises botocore's errors."""
        return self._update_pending(
            JobUpdate(job_message(job), {"status": "cancelled", "deferred_until": None})
        )

    def reopen(self, job: Job) -> Job | None:
        """Make a job in `error` or `cancelled` pending again, in a new run.

        Return None if the job has changed since it was read. Raises botocore's errors.
        """
        now = self._clock()
        values = {
            "status": "pending",
            "status_shard": status_shard(shard(job.owner, job.id), "pending"),
            "run": job.run + 1,
            "attempts": 0,
            "rescues": 0,
            "error": None,
            "expires_at": now // 1000 + RETENTION_SECONDS,
            "due_at": now,
            "updated_at": now,
        }
        condition = "#status IN (:error, :cancelled) AND run = :run"
        expected = {":error": "error", ":cancelled": "cancelled", ":run": job.run}
        return self._update(job.id, values, condition, expected, new_version=True)

    def _try_update(self, update: JobUpdate) -> UpdateOutcome:
        try:
            return self._update_pending(update) or "unchanged"
        except (BotoCoreError, ClientError) as error:
            logger.error("update not written", extra=log_fields(update.message, reason=str(error)))
            return "failed"
        except Damaged as reason:  # the update was written, but the job has a damaged field
            self._on_damaged("jobs table", update.message.job_id, reason)
            return "unchanged"
        except Exception:  # noqa: BLE001  # one update must not affect the others
            logger.exception("update failed unexpectedly", extra=log_fields(update.message))
            return "failed"

    def _update_pending(self, update: JobUpdate) -> Job | None:
        message, values = update.message, dict(update.values)
        condition, expected = (
            "#status = :pending AND run = :run",
            {":pending": "pending", ":run": message.run},
        )
        if update.visible:
            values["updated_at"] = self._clock()
        if "status" in values:
            values["status_shard"] = status_shard(shard(message.owner, message.job_id), values["status"])
            values["due_at"] = None
        if update.due_at is not None:
            condition += " AND due_at = :expected_due_at"
            expected[":expected_due_at"] = update.due_at
        return self._update(message.job_id, values, condition, expected, new_version=update.visible)

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
        new = {name: value for name, value in values.items() if (name, value) != ("due_at", None)}
        assignments = [f"#{name} = :new_{name}" for name in new]
        if new_version:
            assignments.append("version = version + :one")
            expected = {**expected, ":one": 1}
        expression = "SET " + ", ".join(assignments)
        if len(new) < len(values):
            expression += " REMOVE due_at"  # removes the job from the by-due index
        item = self._table.update(
            _key(job_id),
            expression,
            condition,
            {f":new_{name}": value for name, value in new.items()} | expected,
            names={"#status": "status"} | {f"#{name}": name for name in new},
            returns="ALL_NEW",
        )
        return None if item is None else Job.from_item(item)


def _key(job_id: str) -> Item:
    return {"id": to_attribute(job_id)}


def _ids(items: list[Item]) -> list[str]:
    return [item["id"]["S"] for item in items]
