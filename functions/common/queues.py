"""Send messages to SQS in batches, and report the failures of a batch that came from SQS."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.observability import logger

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.literals import QueueAttributeNameType

BATCH = 10
"""SendMessageBatch takes ten entries:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html"""
MAX_DELAY_SECONDS = 900
"""SQS delays a message for up to 15 minutes:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"""
BACKLOG_ATTRIBUTES: "list[QueueAttributeNameType]" = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
]


@dataclass(frozen=True)
class OutgoingMessage:
    """A message to send. `source` identifies what it is sent for. `delay` is in seconds.

    `group` is who it is sent for: a fair queue delivers the messages of the others first if this one has a
    backlog.
    """

    source: str
    body: str
    delay: int = 0
    group: str | None = None


class Queue:
    """An SQS queue to which messages are sent."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, body: str, delay: int = 0, group: str | None = None) -> None:
        """Send one message: see OutgoingMessage. Raises botocore's errors."""
        self._sqs.send_message(QueueUrl=self._url, **_parameters(body, delay, group))

    def send_all(self, messages: list[OutgoingMessage]) -> set[str]:
        """Send all messages, ten per call. Return the sources of those that SQS did not accept.

        SQS may refuse a whole batch because of one message, so a refused batch is sent one by one.
        """
        remaining = iter(messages)
        failed: set[str] = set()
        while batch := list(islice(remaining, BATCH)):
            try:
                failed |= self._send_batch(batch)
            except (BotoCoreError, ClientError) as error:
                logger.warning("batch not sent", extra={"queue": self._url, "reason": str(error)})
                failed |= {message.source for message in batch if not self._try_send(message)}
        return failed

    def retry_in(self, receipt_handle: str, seconds: int) -> None:
        """Redeliver a received message after a time. If the call fails, the queue's own timeout applies."""
        try:
            self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
        except (BotoCoreError, ClientError) as error:
            logger.warning("visibility timeout not changed", extra={"reason": str(error)})

    def backlog(self) -> tuple[int, int]:
        """Return the number of messages that wait, and of those in flight. SQS's counts are approximate."""
        response = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=BACKLOG_ATTRIBUTES)
        waiting, running = (int(response["Attributes"][name]) for name in BACKLOG_ATTRIBUTES)
        return waiting, running

    def is_empty(self) -> bool:
        """Return whether no message is waiting or in flight."""
        return self.backlog() == (0, 0)

    def _try_send(self, message: OutgoingMessage) -> bool:
        try:
            self.send(message.body, message.delay, message.group)
        except (BotoCoreError, ClientError) as error:
            extra = {"queue": self._url, "source": message.source, "reason": str(error)}
            logger.error("message not sent", extra=extra)
            return False
        return True

    def _send_batch(self, batch: list[OutgoingMessage]) -> set[str]:
        entries: Any = [
            {"Id": str(index), **_parameters(message.body, message.delay, message.group)}
            for index, message in enumerate(batch)
        ]
        response = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
        refused = response.get("Failed", [])
        for entry in refused:
            logger.error("message not accepted", extra={"queue": self._url, "reason": entry})
        return {batch[int(entry["Id"])].source for entry in refused}


def _parameters(body: str, delay: int, group: str | None) -> Any:
    grouped = {"MessageGroupId": group} if group else {}
    return {"MessageBody": body, "DelaySeconds": delay, **grouped}


def partial_failure(message_ids: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """Return the response to an event source with ReportBatchItemFailures.

    SQS redelivers the messages with these ids and deletes the others:
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    return {"batchItemFailures": [{"itemIdentifier": name} for name in dict.fromkeys(message_ids)]}
