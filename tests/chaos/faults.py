"""What goes wrong, on a seeded schedule: repeated and lost messages, killed workers and relays."""

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

from local.system import LocalSystem

KINDS = (
    "job messages sent twice",
    "outcomes sent twice",
    "events sent twice",
    "job messages lost",
    "Lambda workers killed",
    "relays killed",
)
SETTLED_SECONDS = 10.0
"""Lambda workers are killed once they are older. When one dies while it starts, MiniStack throws away all
workers of its function, those that start included; on a busy machine that goes on for ever."""
WORKERS = ("JobWorker", "ResultWorker", "DlqWorker", "JobCounter", "CreateJob")


class Faults:
    """Threads that each do one kind of harm until stopped. `ids` gives the accepted jobs."""

    def __init__(self, system: LocalSystem, seed: int, ids: Callable[[], list[str]]) -> None:
        self._system = system
        self._ids = ids
        self._outputs = system.outputs
        self._stopping = threading.Event()
        self._records: list[str] = []
        self.counted: Counter[str] = Counter()
        harms: list[tuple[Callable[[random.Random], None], tuple[float, float]]] = [
            (self._repeat_job_message, (0.02, 0.2)),
            (self._repeat_outcome, (0.05, 0.3)),
            (self._repeat_event, (0.02, 0.2)),
            (self._lose_message, (0.5, 1.5)),
            (self._kill_worker, (1.5, 4.0)),
            (self._kill_relay, (6.0, 12.0)),
        ]
        self._clients = {name: system.emulator.client(name) for name in ("sqs", "sns", "dynamodb")}
        self._threads = [
            threading.Thread(target=self._repeat, args=(harm, pause, random.Random(f"{seed}/{index}")))
            for index, (harm, pause) in enumerate(harms)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def all_done(self) -> bool:
        """Has every kind of harm been done at least once?"""
        return all(self.counted[kind] for kind in KINDS)

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        for client in self._clients.values():
            client.close()

    def _repeat(
        self, harm: Callable[[random.Random], None], pause: tuple[float, float], rng: random.Random
    ) -> None:
        while not self._stopping.wait(rng.uniform(*pause)):
            try:
                harm(rng)
            except (BotoCoreError, ClientError) as error:  # a busy emulator may not answer in time
                self.counted[f"harm not done: {type(error).__name__}"] += 1

    def _any_item(self, rng: random.Random) -> dict[str, Any] | None:
        ids = self._ids()
        if not ids:
            return None
        key = {"id": {"S": rng.choice(ids)}}
        item: dict[str, Any] | None = (
            self._clients["dynamodb"].get_item(TableName=self._outputs["JobsTable"], Key=key).get("Item")
        )
        return item

    def _send(self, queue: str, body: dict[str, Any], delay: int = 0) -> None:
        self._clients["sqs"].send_message(
            QueueUrl=self._outputs[queue], MessageBody=json.dumps(body), DelaySeconds=delay
        )

    def _repeat_job_message(self, rng: random.Random) -> None:
        if item := self._any_item(rng):
            self._send("JobsQueueUrl", _message(item), rng.randrange(4))
            self.counted["job messages sent twice"] += 1

    def _repeat_outcome(self, rng: random.Random) -> None:
        """The result or the failure that ended a job, once more."""
        item = self._any_item(rng)
        if item and item["status"]["S"] == "resolved":
            photo = {"id": "repeated"}
            self._send("ResultsQueueUrl", {**_message(item), "result": "http://repeated", "photo": photo})
            self._send("DeadLetterQueueUrl", _message(item), rng.randrange(4))
            self.counted["outcomes sent twice"] += 2

    def _repeat_event(self, rng: random.Random) -> None:
        """A stream record that was seen before, late and out of order."""
        if item := self._any_item(rng):
            record = {"eventName": "MODIFY", "dynamodb": {"NewImage": item}}
            self._records.append(json.dumps(record))
            self._clients["sns"].publish(
                TopicArn=self._outputs["TopicArn"], Message=rng.choice(self._records)
            )
            self.counted["events sent twice"] += 1

    def _lose_message(self, _: random.Random) -> None:
        """Take a message behind the system's back."""
        url = self._outputs["JobsQueueUrl"]
        received = self._clients["sqs"].receive_message(QueueUrl=url, MaxNumberOfMessages=1)
        for message in received.get("Messages", []):
            self._clients["sqs"].delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            self.counted["job messages lost"] += 1

    def _kill_worker(self, rng: random.Random) -> None:
        workers = _settled_workers(self._system.folder)
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(rng.choice(workers), signal.SIGKILL)
                self.counted["Lambda workers killed"] += 1

    def _kill_relay(self, _: random.Random) -> None:
        self._system.relay.kill()
        self._system.start_relay()
        self.counted["relays killed"] += 1


def _message(item: dict[str, Any]) -> dict[str, Any]:
    return {"job_id": item["id"]["S"], "owner": "public", "run": int(item["run"]["N"])}


def _settled_workers(folder: Path) -> list[int]:
    """Processes that the emulator runs the functions in, but for those that it has just started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_text(errors="replace")
                works = "_worker.py" in command and any(worker in command for worker in WORKERS)
                if str(folder) in command and works and _age(entry) > SETTLED_SECONDS:
                    found.append(int(entry.name))
    return found


def _age(process: Path) -> float:
    """Seconds since it was started; `process` is its folder in /proc (proc(5): starttime is field 22)."""
    ticks = int((process / "stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
