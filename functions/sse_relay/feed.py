"""Where changes come from: an interface with two implementations."""

import asyncio
import json
import os
import threading
from collections.abc import Callable
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.job import Job, to_json
from functions.common.observability import logger
from functions.sse_relay.change import Change, change_of, change_of_line

OnChanges = Callable[[list[Change]], object]
OnEnd = Callable[[], object]

READ_BYTES = 65536
POLLERS = 2
"""Threads that wait for messages, so that one may parse while another waits."""
WAIT_SECONDS = 20
HIDDEN_SECONDS = 5
"""A change is handed on at once; what a relay was given as it died comes to its successor after so long."""
KEPT_SECONDS = 300
"""A relay that was silent for longer reads the table anyway, for its streams are gone."""
SETTLE_SECONDS = 3.0
"""SNS may take a moment to honour a new subscription."""
PAUSE_SECONDS = 1.0
"""After an error, before the queue is asked again."""


class Feed(Protocol):
    """Calls `on_changes` in the event loop's thread for changes that come together, from start to stop,
    and `on_end` when no more will come. For `settle_seconds` after its start changes may still be missed."""

    settle_seconds: float

    async def start(self, on_changes: OnChanges, on_end: OnEnd) -> None: ...

    async def stop(self) -> None: ...


class LineFeed:
    """One job a line, in the contract's JSON, from a pipe: to drive and measure the relay without AWS."""

    settle_seconds = 0.0

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._rest = b""

    async def start(self, on_changes: OnChanges, on_end: OnEnd) -> None:
        """Read from now on. Raises PermissionError if it is a file: those cannot be waited for."""
        asyncio.get_running_loop().add_reader(self._descriptor, self._read, on_changes, on_end)

    async def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)

    def _read(self, on_changes: OnChanges, on_end: OnEnd) -> None:
        chunk = os.read(self._descriptor, READ_BYTES)
        if not chunk:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            on_end()
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        on_changes([change for line in lines if (change := _change_of_line(line))])


class SqsFeed:
    """A queue of this relay's own, subscribed to the topic for as long as the relay lives.

    `queue` is its name. One that a relay of the same name left behind is taken over.
    """

    settle_seconds = SETTLE_SECONDS

    def __init__(
        self, sqs: Any, sns: Any, topic_arn: str, queue: str, *, wait_seconds: int = WAIT_SECONDS
    ) -> None:
        self._sqs = sqs
        self._sns = sns
        self._topic_arn = topic_arn
        self._wait_seconds = wait_seconds
        self._name = queue
        self._queue_url = ""
        self._subscription = ""
        self._stopping = threading.Event()

    async def start(self, on_changes: OnChanges, on_end: OnEnd) -> None:  # noqa: ARG002  # it never ends
        """Make the queue, subscribe it, and begin to listen. Raises botocore's errors."""
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._subscribe)
        for _ in range(POLLERS):
            threading.Thread(target=self._poll, args=(loop, on_changes), daemon=True).start()
        logger.info("listening", extra={"queue": self._name})

    async def stop(self) -> None:
        """Delete subscription and queue; the pollers, which may be waiting, end with the process."""
        self._stopping.set()
        await asyncio.to_thread(self._unsubscribe)

    def _subscribe(self) -> None:
        arn = self._topic_arn.replace(":sns:", ":sqs:").rsplit(":", 1)[0] + f":{self._name}"
        attributes = {
            "ReceiveMessageWaitTimeSeconds": str(self._wait_seconds),
            "VisibilityTimeout": str(HIDDEN_SECONDS),
            "MessageRetentionPeriod": str(KEPT_SECONDS),
            "Policy": to_json(_policy(arn, self._topic_arn)),
        }
        created = self._sqs.create_queue(QueueName=self._name, Attributes=attributes)
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
            logger.exception("queue left behind", extra={"queue": self._name})

    def _poll(self, loop: asyncio.AbstractEventLoop, on_changes: OnChanges) -> None:
        while not self._stopping.is_set():
            try:
                received = self._sqs.receive_message(QueueUrl=self._queue_url, MaxNumberOfMessages=10)
                messages = received.get("Messages", [])
                if jobs := [job for message in messages if (job := _job(message["Body"]))]:
                    loop.call_soon_threadsafe(on_changes, [change_of(job) for job in jobs])
                    # one line for up to ten changes: a line for each would cost a tenth of taking it in
                    logger.info("changes received", extra={"changes": [_named(job) for job in jobs]})
                self._delete(messages)
            except (BotoCoreError, ClientError):
                if not self._stopping.wait(PAUSE_SECONDS):
                    logger.exception("queue not read")

    def _delete(self, messages: list[dict[str, Any]]) -> None:
        """A message that is not deleted comes again and is dropped by its version."""
        if messages:
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(messages)
            ]
            self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)


def _policy(queue_arn: str, topic_arn: str) -> dict[str, Any]:
    """Only the topic may send to the queue."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _named(job: Job) -> dict[str, object]:
    """A change in the log."""
    shown = {"status": job.status, "version": job.version}
    return {"job_id": job.id, "correlation_id": job.correlation_id, **shown}


def _change_of_line(line: bytes) -> Change | None:
    try:
        return change_of_line(line)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        logger.warning("line is no job", extra={"reason": repr(error)})
        return None


def _job(body: str) -> Job | None:
    """A stream record's job, or None if the record is not of a job's change."""
    try:
        image = json.loads(body)["dynamodb"].get("NewImage")
        return Job.from_item(image) if image else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        logger.warning("message is no job's change", extra={"reason": repr(error)})
        return None
