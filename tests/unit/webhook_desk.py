"""A sender of webhooks with its queues and a fake receiver, and jobs that have ended."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from functions.common.deliveries import Deliveries
from functions.common.job import Job
from functions.common.ledger import Ledger
from functions.common.webhook_secrets import WebhookSecrets
from functions.webhook_sender.receivers import Receivers
from functions.webhook_sender.send_webhooks import WebhookSender
from tests.unit.factories import make_job, make_output, sqs_record, stream_record
from tests.unit.fakes import FakeClock, FakeTime, ReadableQueue

URL = "https://receiver.test/hook?token=t"


@dataclass
class Receiver:
    """Answers with the next of `answers`, the last one again and again. `seconds` is how long it takes."""

    time: FakeTime
    answers: list[int | Exception] = field(default_factory=lambda: [204])
    seconds: float = 0
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    during: Callable[[], object] = lambda: None
    """What happens while it works."""

    def post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        self.received.append((url, headers, body))
        self.during()
        self.time.sleep(self.seconds)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, _, body in self.received]


class Desk:
    """A sender with its queues. `run` handles what is due, at the present time of the clock."""

    def __init__(self, ledger: Ledger, sqs: Any, clock: FakeClock) -> None:
        self.clock, self.time = clock, FakeTime()
        self.receiver = Receiver(self.time)
        self.queue, self.dead_letters = ReadableQueue(sqs, "notices"), ReadableQueue(sqs, "dead-notices")
        self.sent: list[tuple[int, str]] = []
        """The messages that are waiting: when they arrive, and their bodies."""
        self.deliveries = Deliveries(ledger.webhooks("delivery"))
        self.secrets = WebhookSecrets(ledger.webhooks("webhook-secret"), lambda: b"key", clock)
        self.sender = WebhookSender(
            deliveries=self.deliveries,
            receivers=Receivers(ledger.webhooks("receiver")),
            queue=self,  # type: ignore[arg-type]
            dead_letters=self.dead_letters,
            secrets=self.secrets.active,
            post=self.receiver.post,
            clock=clock,
            monotonic=self.time.monotonic,
            uniform=lambda low, high: (low + high) / 2,
        )

    def send(self, body: str, delay: int = 0) -> None:
        assert 0 <= delay <= 900
        self.sent.append((self.clock.now + 1000 * delay, body))

    def end(self, job: Job, body: str | None = None) -> None:
        """Add the record of the job's end to the queue."""
        self.sent.append((self.clock.now, body or ending(job)))

    def run(self) -> None:
        """Handle the notices that have arrived, one after the other."""
        due = [entry for entry in self.sent if entry[0] <= self.clock.now]
        for entry in due:
            self.sent.remove(entry)
            assert self.sender.send([sqs_record(entry[1])]) == set()

    def run_until(self, end: int) -> None:
        """Handle all notices that arrive until this time (epoch ms), each when it arrives."""
        while self.sent and min(self.sent)[0] <= end:
            self.clock.now = max(self.clock.now, min(self.sent)[0])
            self.run()

    def state(self, job: Job) -> Any:
        return self.deliveries.state(job.id)


def make_ended(**values: Any) -> Job:
    result = {"status": "resolved", "output": make_output(), "notify": URL}
    return make_job(**{**result, **values})


def ending(job: Job, **old: Any) -> str:
    """Return the body of the record with which a job ended."""
    before = replace(job, **{"status": "pending", "output": None, "error": None, **old})
    return json.dumps(stream_record(new=job, old=before))
