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
from functions.common.job import Job, shard, status_shard
from functions.common.messages import JobMessage
from functions.common.observability import logger

Applied = Literal["changed", "unchanged", "failed"]

READ_BATCH = 100
"""BatchGetItem takes 100 keys:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""
SIDE_BY_SIDE = 10
"""Updates at one time; botocore keeps ten connections."""


@dataclass(frozen=True)
class Change:
    """New values for the pending job that `message` is about; a field set to None is cleared.

    `visible` changes grow the job's version and are published; others are bookkeeping.
    """

    message: JobMessage
    values: dict[str, Any]
    visible: bool = True


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

        Answers in the order of `changes`: `unchanged` means that the job had already ended (or is
        unknown), `failed` that the write should be tried again.
        """
        return list(self._pool.map(self._change, changes))

    def _change(self, change: Change) -> Applied:
        message = change.message
        values = dict(change.values)
        if "status" in values:
            values["status_shard"] = status_shard(shard(message.owner, message.job_id), values["status"])
        if change.visible:
            values["updated_at"] = self._clock()
        sets = [f"#{name} = :{name}" for name in values]
        if change.visible:
            sets.append("version = version + :one")
        condition = {":pending": "pending", ":run": message.run} | ({":one": 1} if change.visible else {})
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"id": to_attribute(message.job_id)},
                UpdateExpression=f"SET {', '.join(sets)}",
                ConditionExpression="#status = :pending AND run = :run",
                ExpressionAttributeNames={"#status": "status"} | {f"#{name}": name for name in values},
                ExpressionAttributeValues=to_item(
                    {f":{name}": value for name, value in values.items()} | condition
                ),
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return "unchanged"
        except (BotoCoreError, ClientError) as error:
            logger.error("change not written", extra={"job_id": message.job_id, "reason": str(error)})
            return "failed"
        return "changed"
