"""The sources of changes: the topic in AWS, or lines from a pipe."""

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.errors import Damaged
from functions.common.job import Job, is_job, to_json
from functions.common.observability import logger
from functions.sse_relay.job_change import JobChange

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

OnChanges = Callable[[list[JobChange]], object]
OnEnd = Callable[[], object]
OnDamaged = Callable[[str, str, Exception], object]
"""Called with the place, an id if there is one, and the reason."""

READ_BYTES = 65536
MAX_LINE = 1024 * 1024
"""Bytes of a line. An event takes at most 256 KB."""
POLLERS = 2
"""Threads that receive messages, so that one can parse while another waits."""
WAIT_SECONDS = 20
VISIBILITY_SECONDS = 5
"""Changes are published immediately. After this time a relay of the same name receives what this one received
but did not delete before it crashed."""
RETENTION_SECONDS = 300
"""After a longer silence the relay has no streams left, and new ones read the table."""
SETTLE_SECONDS = 3.0
"""SNS may take a few seconds to deliver to a new subscription."""
ALIVE_SECONDS = 120.0
"""Without a successful receive for so long (one takes at most WAIT_SECONDS), the feed counts as stopped."""
PAUSE_SECONDS = 1.0
"""Between an error and the next attempt to receive."""


class Feed(Protocol):
    """Passes changes to `on_changes` in the event loop's thread, those that arrive together in one call.

    Calls `on_end` when no more will come. For `settle_seconds` after the start changes may still be missed.
    """

    settle_seconds: float

    async def start(self, on_changes: OnChanges, on_end: OnEnd) -> None: ...

    def is_alive(self) -> bool:
        """Return whether changes can arrive: the relay is unhealthy otherwise."""

    async def stop(self) -> None: ...


class LineFeed:
    """Reads one job per line, in the contract's JSON, from a pipe: to run the relay without AWS."""

    settle_seconds = 0.0

    def __init__(self, on_damaged: OnDamaged, descriptor: int = 0) -> None:
        self._on_damaged = on_damaged
        self._descriptor = descriptor
        self._incomplete = bytearray()
        self._skips = False
        """The current line is too long: ignore the rest of it."""

    async def start(self, on_changes: OnChanges, on_end: OnEnd) -> None:
        """Start to read. Raises PermissionError for a regular file, which cannot be watched."""
        asyncio.get_running_loop().add_reader(self._descriptor, self._read, on_changes, on_end)

    def is_alive(self) -> bool:
        return True  # the relay stops at the end of its input

    async def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)

    def _read(self, on_changes: OnChanges, on_end: OnEnd) -> None:
        data = os.read(self._descriptor, READ_BYTES)
        on_changes([change for line in self._lines(data) if (change := self._parse(line))])
        if not data:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            on_end()

    def _lines(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines that `data` completes, except empty ones, and the last one at the end."""
        first, *others = data.split(b"\n")
        if not self._skips:
            self._incomplete += first
        if others or not data:
            yield from filter(bytes.strip, [bytes(self._incomplete), *others[:-1]])
            self._incomplete, self._skips = bytearray(others[-1] if others else b""), False
        elif len(self._incomplete) > MAX_LINE:
            self._on_damaged("input", "", Damaged(f"a line of more than {MAX_LINE} bytes"))
            self._incomplete, self._skips = bytearray(), True

    def _parse(self, line: bytes) -> JobChange | None:
        try:
            return JobChange.from_line(line)
        except Damaged as reason:
            self._on_damaged("input", "", reason)
            return None


class SqsFeed:
    """Receives from a queue that is subscribed to the topic while the relay runs.

    `queue` is its name. A queue with this name that another relay left behind is reused.
    """

    settle_seconds = SETTLE_SECONDS

    def __init__(
        self,
        sqs: "SQSClient",
        sns: "SNSClient",
        topic_arn: str,
        queue: str,
        *,
        on_damaged: OnDamaged,
        wait_seconds: int = WAIT_SECONDS,
    ) -> None:
        self._sqs = sqs
        self._sns = sns
        self._topic_arn = topic_arn
        self._on_damaged = on_damaged
        self._wait_seconds = wait_seconds
        self._name = queue
        self._queue_url = ""
        self._subscription = ""
        self._stopping = threading.Event()
        self._received_at = time.monotonic()

    async def start(self, on_changes: OnChanges, on_end: OnEnd) -> None:  # noqa: ARG002  # it does not end
        """Create the queue, subscribe it and start to receive. Raises botocore's errors."""
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._subscribe)
        for _ in range(POLLERS):
            threading.Thread(target=self._poll, args=(loop, on_changes), daemon=True).start()
        logger.info("queue subscribed", extra={"queue": self._name})

    def is_alive(self) -> bool:
        return time.monotonic() - self._received_at < ALIVE_SECONDS

    async def stop(self) -> None:
        """Delete subscription and queue. Pollers that still wait end with the process."""
        self._stopping.set()
        await asyncio.to_thread(self._unsubscribe)

    def _subscribe(self) -> None:
        arn = self._topic_arn.replace(":sns:", ":sqs:").rsplit(":", 1)[0] + f":{self._name}"
        created = self._sqs.create_queue(
            QueueName=self._name,
            Attributes={
                "ReceiveMessageWaitTimeSeconds": str(self._wait_seconds),
                "VisibilityTimeout": str(VISIBILITY_SECONDS),
                "MessageRetentionPeriod": str(RETENTION_SECONDS),
                "Policy": to_json(_queue_policy(arn, self._topic_arn)),
            },
        )
        self._queue_url = created["QueueUrl"]
        self._subscription = self._sns.subscribe(
            TopicArn=self._topic_arn,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"RawMessageDelivery": "true"},
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]

    def _unsubscribe(self) -> None:
        try:
            self._sns.unsubscribe(SubscriptionArn=self._subscription)
            self._sqs.delete_queue(QueueUrl=self._queue_url)
            logger.info("queue deleted", extra={"queue": self._name})
        except (BotoCoreError, ClientError):
            logger.exception("queue not deleted", extra={"queue": self._name})

    def _poll(self, loop: asyncio.AbstractEventLoop, on_changes: OnChanges) -> None:
        while not self._stopping.is_set():
            try:
                received = self._sqs.receive_message(QueueUrl=self._queue_url, MaxNumberOfMessages=10)
                messages = received.get("Messages", [])
                if jobs := [job for message in messages if (job := self._parse(message))]:
                    loop.call_soon_threadsafe(on_changes, [JobChange.from_job(job) for job in jobs])
                    # one line for up to ten changes: one line each would add a tenth to the cost of a change
                    logger.info("changes received", extra={"changes": [_log_fields(job) for job in jobs]})
                self._delete(messages)
            except Exception:  # noqa: BLE001  # whatever happens, the poller must survive
                if not self._stopping.wait(PAUSE_SECONDS):
                    logger.exception("messages not received")
            else:
                self._received_at = time.monotonic()

    def _parse(self, message: "MessageTypeDef") -> Job | None:
        """Return the job in a stream record, or None if it is damaged or not a change of a job."""
        try:
            image = json.loads(message["Body"])["dynamodb"].get("NewImage")
            return Job.from_item(image) if image and is_job(image["id"]["S"]) else None
        except (Damaged, ValueError, KeyError, TypeError, AttributeError, RecursionError) as reason:
            self._on_damaged("topic", message["MessageId"], reason)
            return None

    def _delete(self, messages: "list[MessageTypeDef]") -> None:
        """Delete the messages. One that is not deleted is delivered again and dropped by its version."""
        if messages:
            entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(messages)
            ]
            self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)


def _queue_policy(queue_arn: str, topic_arn: str) -> dict[str, Any]:
    """Allow only the topic to send to the queue."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _log_fields(job: Job) -> dict[str, object]:
    return {
        "job_id": job.id,
        "correlation_id": job.correlation_id,
        "status": job.status,
        "version": job.version,
    }
