"""The jobs table: every write of a job's state is here, and every one is conditional.

The table is the truth; queues and events may repeat themselves, come late or out of order. A job is
changed only while it is `pending` and in the run that the writer means, so a repeated message changes
nothing, and the stream publishes each change that did happen.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.attributes import batch_get, to_attribute, to_item
from functions.common.clock import Clock, now_ms
from functions.common.job import RETENTION_SECONDS, Job, shard, status_shard
from functions.common.messages import FailureMessage, JobMessage, ResultMessage, about, message_of
from functions.common.observability import logger

Applied = Job | Literal["unchanged", "failed"]
"""What became of a change: the job as it is now, or why it is not changed."""

READ_BATCH = 100
"""BatchGetItem takes 100 keys:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""
SIDE_BY_SIDE = 10
"""Updates at one time; botocore keeps ten connections."""


@dataclass(frozen=True)
class Change:
    """New values for the pending job that `message` is about; a field set to None is cleared.

    `visible` changes grow the job's version and are published; others are bookkeeping. With `due_at` the
    change is made only if the job still is due then.
    """

    message: JobMessage
    values: dict[str, Any]
    visible: bool = True
    due_at: int | None = None


def resolved(message: ResultMessage) -> Change:
    """End a job with its result."""
    values = {
        "status": "resolved",
        "result": message.result,
        "photo": message.photo,
        "deferred_until": None,
    }
    return Change(message, values)


def failed(message: FailureMessage) -> Change:
    """End a job with the reason why there is none."""
    error = {"code": message.code, "message": message.message, "attempts": message.attempts}
    return Change(message, {"status": "error", "error": error, "deferred_until": None})


class JobStore:
    """The jobs table behind a boto3 DynamoDB client."""

    def __init__(self, dynamodb: Any, table: str, clock: Clock = now_ms) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._clock = clock
        self._pool = ThreadPoolExecutor(SIDE_BY_SIDE)

    def create(self, job: Job) -> bool:
        """Write a new job. False if its id exists already; botocore's errors otherwise."""
        try:
            self._dynamodb.put_item(
                TableName=self._table, Item=job.to_item(), ConditionExpression="attribute_not_exists(id)"
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def get(self, job_id: str) -> Job | None:
        """The job as it is now, or None."""
        key = {"id": to_attribute(job_id)}
        answer = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return Job.from_item(answer["Item"]) if "Item" in answer else None

    def get_many(self, job_ids: Iterable[str]) -> dict[str, Job]:
        """The jobs that exist of those named, as they are now, 100 a call."""
        ids = list(dict.fromkeys(job_ids))
        found: dict[str, Job] = {}
        for start in range(0, len(ids), READ_BATCH):
            keys = [{"id": to_attribute(one)} for one in ids[start : start + READ_BATCH]]
            for item in batch_get(self._dynamodb, self._table, keys):
                job = Job.from_item(item)
                found[job.id] = job
        return found

    def change_all(self, changes: list[Change]) -> list[Applied]:
        """Apply each change to its job if that is pending and in the change's run, side by side.

        Answers in the order of `changes`: the job as it is now; `unchanged` if it had already ended (or
        is unknown); `failed` if the write should be tried again.
        """
        return list(self._pool.map(self._apply, changes))

    def cancel(self, job: Job) -> Job | None:
        """End a pending job as `cancelled`. None if it has ended. Raises botocore's errors."""
        return self._change(Change(message_of(job), {"status": "cancelled", "deferred_until": None}))

    def reopen(self, job: Job) -> Job | None:
        """Make a job that ended in `error` or was `cancelled` pending again, in a new run.

        None if it is not as it was when `job` was read. Raises botocore's errors.
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
        known = {":error": "error", ":cancelled": "cancelled", ":run": job.run}
        return self._update(job.id, values, ["version = version + :one"], condition, {":one": 1, **known})

    def _apply(self, change: Change) -> Applied:
        try:
            return self._change(change) or "unchanged"
        except (BotoCoreError, ClientError) as error:
            logger.error("change not written", extra=about(change.message, reason=str(error)))
            return "failed"

    def _change(self, change: Change) -> Job | None:
        message, values = change.message, dict(change.values)
        more, known = [], {":pending": "pending", ":run": message.run}
        if change.visible:
            values["updated_at"] = self._clock()
            more.append("version = version + :one")
            known[":one"] = 1
        if "status" in values:
            values["status_shard"] = status_shard(shard(message.owner, message.job_id), values["status"])
            values["due_at"] = None
        condition = "#status = :pending AND run = :run"
        if change.due_at is not None:
            condition += " AND due_at = :known_due_at"
            known[":known_due_at"] = change.due_at
        return self._update(message.job_id, values, more, condition, known)

    def _update(
        self, job_id: str, values: dict[str, Any], more: list[str], condition: str, known: dict[str, Any]
    ) -> Job | None:
        """The job after one conditional update; None if the condition does not hold."""
        sets = {name: value for name, value in values.items() if (name, value) != ("due_at", None)}
        expression = "SET " + ", ".join([*(f"#{name} = :new_{name}" for name in sets), *more])
        if len(sets) < len(values):
            expression += " REMOVE due_at"  # takes it out of the by-due index
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key={"id": to_attribute(job_id)},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#status": "status"} | {f"#{name}": name for name in sets},
                ExpressionAttributeValues=to_item({f":new_{name}": sets[name] for name in sets} | known),
                ReturnValues="ALL_NEW",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return None
        return Job.from_item(answer["Attributes"])
