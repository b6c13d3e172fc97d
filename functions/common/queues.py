"""Sending to SQS in batches, and answering a batch that came from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.observability import logger

BATCH = 10
"""SendMessageBatch takes ten entries:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html"""


@dataclass(frozen=True)
class Outgoing:
    """A body to send; `source` names the received message that it completes. Delay in seconds."""

    source: str
    body: str
    delay: int = 0


class Queue:
    """One SQS queue to send to."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, body: str, delay: int = 0) -> None:
        """Send one message. Raises botocore's errors."""
        self._sqs.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay)

    def send_all(self, messages: list[Outgoing]) -> set[str]:
        """Send all, ten a call. Returns the sources of those that were not accepted."""
        rest = iter(messages)
        failed: set[str] = set()
        while chunk := list(islice(rest, BATCH)):
            failed |= self._send_chunk(chunk)
        return failed

    def retry_in(self, receipt_handle: str, seconds: int) -> None:
        """Hide a received message for so long before it comes again; failing that, its queue's default."""
        try:
            self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
        except (BotoCoreError, ClientError) as error:
            logger.warning("visibility not changed", extra={"reason": str(error)})

    def is_empty(self) -> bool:
        """No message waits, is delayed or is being worked on, as far as SQS can tell at once."""
        names = [f"ApproximateNumberOfMessages{part}" for part in ("", "NotVisible", "Delayed")]
        answer = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)
        return all(int(answer["Attributes"][name]) == 0 for name in names)

    def _send_chunk(self, chunk: list[Outgoing]) -> set[str]:
        entries = [
            {"Id": str(index), "MessageBody": message.body, "DelaySeconds": message.delay}
            for index, message in enumerate(chunk)
        ]
        try:
            answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
        except (BotoCoreError, ClientError) as error:
            logger.error("batch not sent", extra={"queue": self._url, "reason": str(error)})
            return {message.source for message in chunk}
        refused = answer.get("Failed", [])
        for entry in refused:
            logger.error("message not accepted", extra={"queue": self._url, "reason": entry})
        return {chunk[int(entry["Id"])].source for entry in refused}


def partial_failure(message_ids: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """The answer to an event source with ReportBatchItemFailures: these come again, the rest is done.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    return {"batchItemFailures": [{"itemIdentifier": one} for one in dict.fromkeys(message_ids)]}
