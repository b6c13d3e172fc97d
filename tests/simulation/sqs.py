"""SQS of the simulation: standard queues, and the pollers that invoke a function with batches.

Messages have no order, may be delivered twice, and return after their visibility timeout. After
`max_receives` receives the redrive policy moves them:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.simulation.world import Process, World

LATENCY_MS = (5, 60)
"""From the moment that a message is visible to the moment that a poller has it."""
DUPLICATES = 0.02
"""Share of the messages that are delivered twice, if the world is random."""


@dataclass
class Message:
    """A message in a queue. It is invisible until `visible_at` (epoch ms)."""

    id: str
    body: str
    visible_at: int
    receives: int = 0
    receipt: str = ""


@dataclass
class Queue:
    """A queue. `visibility` is in milliseconds; `dead_letters` gets what was received too often."""

    name: str
    world: World
    visibility: int
    max_receives: int = 5
    dead_letters: "Queue | None" = None
    messages: dict[str, Message] = field(default_factory=dict)
    on_message: Callable[[], object] = lambda: None
    senders: "Counter[tuple[str, str]]" = field(default_factory=Counter)
    """How often a function has sent a body."""
    redriven: list[str] = field(default_factory=list)
    """The bodies that the redrive policy has moved."""
    _numbers: "count[int]" = field(default_factory=count)

    @property
    def url(self) -> str:
        return f"https://sqs.test/{self.name}"

    def send(self, body: str, delay: float = 0) -> None:
        """Store a message, and sometimes store it twice. `delay` is in milliseconds."""
        copies = 2 if self.world.is_random and self.world.random.random() < DUPLICATES else 1
        for _ in range(copies):
            number = next(self._numbers)
            message = Message(f"{self.name}-{number}", body, self.world.now + round(delay))
            self.messages[message.id] = message
            self._announce(message)

    def receive(self, limit: int) -> list[Message]:
        """Return visible messages, and hide them. Move those that were received too often."""
        visible = [message for message in self.messages.values() if message.visible_at <= self.world.now]
        self.world.random.shuffle(visible)
        received = []
        for message in visible[:limit]:
            if message.receives >= self.max_receives and self.dead_letters is not None:
                del self.messages[message.id]
                self.dead_letters.send(message.body)
                self.redriven.append(message.body)
                continue
            message.receives += 1
            message.receipt = f"{message.id}/{message.receives}"
            self.hide(message, self.visibility)
            received.append(message)
        return received

    def delete(self, ids: Iterable[str]) -> None:
        for message_id in ids:
            self.messages.pop(message_id, None)

    def hide(self, message: Message, milliseconds: int) -> None:
        message.visible_at = self.world.now + milliseconds
        self._announce(message)

    def _announce(self, message: Message) -> None:
        latency = self.world.uniform(*LATENCY_MS)
        self.world.after(max(0, message.visible_at - self.world.now) + latency, self.on_message)


Records = list[dict[str, Any]]


@dataclass
class Poller:
    """Invokes a function with batches of a queue, and deletes the messages that it does not report.

    `work` returns the ids of the messages that must be redelivered. If it dies, all are.
    """

    name: str
    queue: Queue
    world: World
    batch: int
    concurrency: int
    work: Callable[[Process, Records], set[str]]
    offset: Callable[[], int] = lambda: 0
    running: int = 0

    def __post_init__(self) -> None:
        self.queue.on_message = self.poll

    def poll(self) -> None:
        while self.running < self.concurrency and (messages := self.queue.receive(self.batch)):
            self._invoke(messages)

    def _invoke(self, messages: list[Message]) -> None:
        ids = [message.id for message in messages]
        receipts = {message.id: message.receipt for message in messages}
        records = [
            {
                "messageId": message.id,
                "receiptHandle": message.receipt,
                "body": message.body,
                "attributes": {"ApproximateReceiveCount": str(message.receives)},
            }
            for message in messages
        ]

        def end(failed: set[str] | None, error: BaseException | None) -> None:
            self.running -= 1
            if error is None and failed is not None:
                self.queue.delete(
                    name
                    for name in ids
                    # one that is received again meanwhile keeps its message: receipts expire
                    if name not in failed
                    and (message := self.queue.messages.get(name))
                    and message.receipt == receipts[name]
                )
            self.world.after(1, self.poll)

        self.running += 1
        self.world.spawn(self.name, lambda process: self.work(process, records), end, self.offset())


class SqsClient:
    """What a process uses instead of boto3's client."""

    def __init__(self, queues: Mapping[str, Queue], process: Process) -> None:
        self._queues = {queue.url: queue for queue in queues.values()}
        self._process = process

    def send_message(
        self, QueueUrl: str, MessageBody: str, DelaySeconds: int = 0, MessageGroupId: str = ""
    ) -> dict[str, Any]:
        queue = self._queues[QueueUrl]
        send = lambda: self._store(queue, MessageBody, DelaySeconds)  # noqa: E731
        self._process.call(f"sqs.send_message {queue.name}", {}, send)
        return {}

    def send_message_batch(self, QueueUrl: str, Entries: Records) -> dict[str, Any]:
        """Send a batch. If the plan says so, its first entry is refused."""
        queue = self._queues[QueueUrl]
        world = self._process.world

        def send() -> dict[str, Any]:
            is_partial = world.plan.get(len(world.calls) - 1) == "partly refused"
            refused = Entries[:1] if is_partial else []
            for entry in Entries[len(refused) :]:
                self._store(queue, entry["MessageBody"], entry.get("DelaySeconds", 0))
            return {"Failed": [{"Id": entry["Id"], "Code": "InternalError"} for entry in refused]}

        answer: dict[str, Any] = self._process.call(f"sqs.send_message_batch {queue.name}", {}, send)
        return answer

    def _store(self, queue: Queue, body: str, delay_seconds: int) -> None:
        queue.senders[self._process.name, body] += 1
        if self._process.is_newer:
            body = json.dumps({**json.loads(body), "newer": "field"})
        queue.send(body, 1000 * delay_seconds)

    def change_message_visibility(
        self, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int
    ) -> dict[str, Any]:
        queue = self._queues[QueueUrl]

        def change() -> None:
            message = queue.messages.get(ReceiptHandle.split("/")[0])
            if message is not None and message.receipt == ReceiptHandle:
                queue.hide(message, 1000 * VisibilityTimeout)

        self._process.call(f"sqs.change_message_visibility {queue.name}", {}, change)
        return {}

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        queue = self._queues[QueueUrl]
        now = self._process.world.now

        def read() -> dict[str, Any]:
            # a delayed message is neither waiting nor in flight
            visible = [m for m in queue.messages.values() if m.visible_at <= now]
            hidden = [m for m in queue.messages.values() if m.visible_at > now and m.receives]
            return {
                "Attributes": {
                    "ApproximateNumberOfMessages": str(len(visible)),
                    "ApproximateNumberOfMessagesNotVisible": str(len(hidden)),
                }
            }

        answer: dict[str, Any] = self._process.call(f"sqs.get_queue_attributes {queue.name}", {}, read)
        return answer
