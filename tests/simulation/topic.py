"""The relays' queues and subscriptions in the simulation, for the code that makes and removes them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tests.simulation.world import Process

TOPIC = "arn:aws:sns:us-east-1:123456789012:changes"
PREFIX = "calo-relay-"


@dataclass
class RelayQueues:
    """The names of the queues, and the queue's name of each subscription."""

    queues: set[str] = field(default_factory=set)
    subscriptions: dict[str, str] = field(default_factory=dict)


class QueueDoesNotExist(ClientError):
    """No queue has this name."""


class _Exceptions:
    QueueDoesNotExist = QueueDoesNotExist


class QueuesClient:
    """What a process uses instead of boto3's clients for SQS and SNS. The url of a queue is its name."""

    exceptions = _Exceptions

    def __init__(self, state: RelayQueues, process: Process) -> None:
        self._state = state
        self._process = process

    def create_queue(self, QueueName: str, Attributes: dict[str, str]) -> dict[str, Any]:
        return self._call("sqs.create_queue", lambda: self._state.queues.add(QueueName), QueueUrl=QueueName)

    def get_queue_url(self, QueueName: str) -> dict[str, Any]:
        return self._call("sqs.get_queue_url", lambda: self._check(QueueName), QueueUrl=QueueName)

    def delete_queue(self, QueueUrl: str) -> None:
        def delete() -> None:
            self._check(QueueUrl)
            self._state.queues.remove(QueueUrl)

        self._call("sqs.delete_queue", delete)

    def subscribe(self, Endpoint: str, **_: Any) -> dict[str, Any]:
        name = Endpoint.rsplit(":", 1)[-1]
        arn = f"{TOPIC}:{name}"  # subscribing a queue again returns the same arn
        add = lambda: self._state.subscriptions.update({arn: name})  # noqa: E731
        return self._call("sns.subscribe", add, SubscriptionArn=arn)

    def unsubscribe(self, SubscriptionArn: str) -> None:
        self._call("sns.unsubscribe", lambda: self._state.subscriptions.pop(SubscriptionArn, None))

    def get_paginator(self, _: str) -> "QueuesClient":
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        """Yield the subscriptions in two pages."""
        entries = [
            {"SubscriptionArn": arn, "Endpoint": f"arn:aws:sqs:us-east-1:123456789012:{name}"}
            for arn, name in self._state.subscriptions.items()
        ]
        for page in (entries[:1], entries[1:]):
            self._call("sns.list_subscriptions_by_topic", lambda: None)
            yield {"Subscriptions": page}

    def _check(self, name: str) -> None:
        if name not in self._state.queues:
            raise QueueDoesNotExist({"Error": {"Code": "QueueDoesNotExist", "Message": name}}, "sqs")

    def _call(self, operation: str, effect: Callable[[], object], **answer: Any) -> dict[str, Any]:
        self._process.call(operation, {}, effect)
        return answer
