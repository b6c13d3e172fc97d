"""Inject faults on a seeded schedule: repeated, late, lost and damaged messages, killed processes."""

import contextlib
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.job import Job
from functions.common.messages import JobMessage, ResultMessage, job_message, message_fields
from infra.names import RELAY_QUEUE_PREFIX
from local.system import LocalSystem
from tests.chaos import damage
from tests.chaos.timetable import Timetable

KINDS = (
    "job messages sent twice",
    "outcomes sent twice",
    "events sent twice",
    "job messages lost",
    "events delayed",
    "damaged events sent",
    "damaged messages sent",
    "damaged items written",
    "schedules due",
    "Lambda workers killed",
    "relays killed",
)
JOB_QUEUES = {
    "photo": "JobsQueueUrl",
    "countdown": "JobsQueueUrlCountdown",
    "flaky": "JobsQueueUrlFlaky",
}
QUEUES = (*JOB_QUEUES.values(), "ResultsQueueUrl", "DeadLetterQueueUrl")
"""The outputs that contain the queues' URLs."""
NOTICES = "WebhookNotices"
"""A part of the name of the queue of the webhooks. Its URL is not an output."""
NOTICES_VISIBILITY = "20"
"""Seconds. So a notice whose sender was killed is not delivered minutes later."""
DELAY_SECONDS = (1.0, 30.0)
SETTLED_SECONDS = 10.0
"""Minimum age of a Lambda worker before it is killed. When one dies during its start, MiniStack discards all
workers of its function, including those that are starting, and on a busy machine none would ever start."""
WORKERS = (
    "JobWorker", "ResultWorker", "DlqWorker", "JobCounter", "CreateJob", "WebhookSender", "JobWatchdog"
)  # fmt: skip


class Faults:
    """Threads that each inject one kind of fault until stopped. `ids` returns the IDs of all jobs.

    The first `max_damages` damaged messages go to any queue. Further ones are only sent to the dead-letter
    queue, which drops them at once: the redrive policy of the others needs five receives.
    """

    def __init__(
        self,
        system: LocalSystem,
        seed: int,
        ids: Callable[[], list[str]],
        timetable: Timetable,
        max_damages: int,
    ) -> None:
        self._system = system
        self._ids = ids
        self._timetable = timetable
        self._outputs = system.outputs
        self._stopping = threading.Event()
        self._records: list[str] = []
        self._delayed: list[tuple[float, str]] = []
        self._damages, self._max_damages = 0, max_damages
        self.counts: Counter[str] = Counter()
        faults: list[tuple[Callable[[random.Random], None], tuple[float, float]]] = [
            (self._repeat_job_message, (0.02, 0.2)),
            (self._repeat_outcome, (0.05, 0.3)),
            (self._repeat_event, (0.02, 0.2)),
            (self._lose_message, (0.5, 1.5)),
            (self._delay_event, (0.05, 0.2)),
            (self._send_damage, (0.5, 2.0)),
            (self._write_damaged_item, (2.0, 6.0)),
            (self._make_schedule_due, (1.0, 4.0)),
            (self._kill_worker, (1.5, 4.0)),
            (self._kill_relay, (6.0, 12.0)),
        ]
        self._clients = {name: system.emulator.client(name) for name in ("sqs", "sns", "dynamodb")}
        self._threads = [
            threading.Thread(target=self._inject, args=(fault, pause, random.Random(f"{seed}/{index}")))
            for index, (fault, pause) in enumerate(faults)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def all_done(self) -> bool:
        """Return whether every kind of fault has occurred at least once."""
        return all(self.counts[kind] for kind in KINDS)

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._publish_delayed(float("inf"))
        for client in self._clients.values():
            client.close()

    def _inject(
        self, fault: Callable[[random.Random], None], pause: tuple[float, float], rng: random.Random
    ) -> None:
        """Inject the fault repeatedly, with pauses between the two bounds in seconds."""
        while not self._stopping.wait(rng.uniform(*pause)):
            try:
                fault(rng)
            except (BotoCoreError, ClientError) as error:  # a busy emulator may not answer in time
                self.counts[f"fault not injected: {type(error).__name__}"] += 1

    def _random_item(self, rng: random.Random) -> dict[str, Any] | None:
        ids = self._ids()
        if not ids:
            return None
        key = {"id": {"S": rng.choice(ids)}}
        item: dict[str, Any] | None = (
            self._clients["dynamodb"].get_item(TableName=self._outputs["JobsTable"], Key=key).get("Item")
        )
        return item

    def _send(self, queue: str, message: JobMessage, delay: int = 0) -> None:
        self._clients["sqs"].send_message(
            QueueUrl=self._outputs[queue], MessageBody=message.body(), DelaySeconds=delay
        )

    def _repeat_job_message(self, rng: random.Random) -> None:
        if item := self._random_item(rng):
            job = Job.from_item(item)
            self._send(JOB_QUEUES[job.kind], job_message(job), rng.randrange(4))
            self.counts["job messages sent twice"] += 1

    def _repeat_outcome(self, rng: random.Random) -> None:
        """Send another result and a failure for a job that is resolved."""
        item = self._random_item(rng)
        if item and item["status"]["S"] == "resolved":
            job = Job.from_item(item)
            result = ResultMessage(**message_fields(job), output='{"regular": "http://repeated"}')
            self._send("ResultsQueueUrl", result)
            self._send("DeadLetterQueueUrl", job_message(job), rng.randrange(4))
            self.counts["outcomes sent twice"] += 2

    def _repeat_event(self, rng: random.Random) -> None:
        """Publish an earlier stream record again, late and out of order."""
        if item := self._random_item(rng):
            record = {"eventName": "MODIFY", "dynamodb": {"NewImage": item}}
            self._records.append(json.dumps(record))
            self._clients["sns"].publish(
                TopicArn=self._outputs["TopicArn"], Message=rng.choice(self._records)
            )
            self.counts["events sent twice"] += 1

    def _lose_message(self, rng: random.Random) -> None:
        """Delete a message from a kind's queue before a worker receives it."""
        url = self._outputs[rng.choice(list(JOB_QUEUES.values()))]
        received = self._clients["sqs"].receive_message(QueueUrl=url, MaxNumberOfMessages=1)
        for message in received.get("Messages", []):
            self._clients["sqs"].delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            self.counts["job messages lost"] += 1

    def _delay_event(self, rng: random.Random) -> None:
        """Take a change from the relay's queue and deliver it again later, after newer changes."""
        sqs = self._clients["sqs"]
        for url in sqs.list_queues(QueueNamePrefix=RELAY_QUEUE_PREFIX).get("QueueUrls", []):
            received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1, WaitTimeSeconds=1)
            for message in received.get("Messages", []):
                self._delayed.append((time.monotonic() + rng.uniform(*DELAY_SECONDS), message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                self.counts["events delayed"] += 1
        self._publish_delayed(time.monotonic())

    def _publish_delayed(self, now: float) -> None:
        for due, body in [entry for entry in self._delayed if entry[0] <= now]:
            self._clients["sns"].publish(TopicArn=self._outputs["TopicArn"], Message=body)
            self._delayed.remove((due, body))

    def _send_damage(self, rng: random.Random) -> None:
        """Send damaged messages. It takes long until a redrive policy moves them."""
        if item := self._random_item(rng):
            self._clients["sns"].publish(
                TopicArn=self._outputs["TopicArn"], Message=damage.record(item, rng) or " "
            )
            self.counts["damaged events sent"] += 1
        queues = QUEUES if self._damages < self._max_damages else ("DeadLetterQueueUrl",)
        self._clients["sqs"].send_message(
            QueueUrl=self._outputs[rng.choice(queues)], MessageBody=damage.message(rng) or " "
        )
        self._damages += 1
        self.counts["damaged messages sent"] += 1

    def _write_damaged_item(self, rng: random.Random) -> None:
        """Write an item that is in the list's index, and in the stream, but is not a valid job."""
        if item := self._random_item(rng):
            self._clients["dynamodb"].put_item(
                TableName=self._outputs["JobsTable"], Item=damage.item(item, rng)
            )
            self.counts["damaged items written"] += 1

    def _make_schedule_due(self, rng: random.Random) -> None:
        self.counts["schedules due"] += self._timetable.make_due(rng)

    def _kill_worker(self, rng: random.Random) -> None:
        workers = _settled_workers(self._system.folder)
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(rng.choice(workers), signal.SIGKILL)
                self.counts["Lambda workers killed"] += 1

    def _kill_relay(self, _: random.Random) -> None:
        self._system.relay.kill()
        self._system.start_relay()
        self.counts["relays killed"] += 1


def _settled_workers(folder: Path) -> list[int]:
    """Return the process IDs of the emulator's Lambda workers that are older than SETTLED_SECONDS."""
    process_ids = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_text(errors="replace")
                is_worker = "_worker.py" in command and any(worker in command for worker in WORKERS)
                if str(folder) in command and is_worker and _age(entry) > SETTLED_SECONDS:
                    process_ids.append(int(entry.name))
    return process_ids


def _age(process: Path) -> float:
    """Return the seconds since the process started. `process` is its folder in /proc.

    The start time is field 22 of `stat` (see proc(5)).
    """
    ticks = int((process / "stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
