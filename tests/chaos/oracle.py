"""What must hold when the dust has settled."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx

from functions.common.job import STATUSES, Job
from local.system import LocalSystem
from tests.chaos.clients import Callers
from tests.chaos.third_party import ThirdParty
from tests.chaos.viewers import FINAL, Viewer

SETTLE_SECONDS = 240.0
QUEUES = ("JobsQueueUrl", "ResultsQueueUrl", "DeadLetterQueueUrl")
DEPTHS = [f"ApproximateNumberOfMessages{part}" for part in ("", "NotVisible", "Delayed")]


class Oracle:
    """Reads the truth from the table and holds everything else against it."""

    def __init__(self, system: LocalSystem, callers: Callers, third_party: ThirdParty) -> None:
        self._system = system
        self._callers = callers
        self._third_party = third_party
        self._dynamodb = system.emulator.client("dynamodb")
        self._sqs = system.emulator.client("sqs")

    def close(self) -> None:
        self._dynamodb.close()
        self._sqs.close()

    def table(self) -> dict[str, dict[str, Any]]:
        """All jobs, as they are shown."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._system.outputs["JobsTable"], ConsistentRead=True
        )
        jobs = (Job.from_item(item) for page in pages for item in page["Items"])
        return {job.id: job.public_view() for job in jobs}

    def breaches(self, feed: list[Viewer], named: dict[Viewer, list[str]]) -> list[str]:
        """Wait for things to settle, then say what is wrong."""
        ids = set(self._callers.ids())
        found = [*self._callers.breaches]
        found += self._wait("jobs without a final status", lambda: self._unfinished(ids))
        found += self._wait("messages left in queues", self._queued)
        table = self.table()
        if set(table) != ids:
            found.append(f"{len(ids)} jobs accepted, {len(table)} in the table")
        found += self._wait("counters differ from a full count", lambda: self._miscounted(table))
        for number, viewer in enumerate(feed):
            found += self._wait(
                f"feed viewer {number} differs from the table", _difference(viewer, table, ids)
            )
        for number, (viewer, wanted) in enumerate(named.items()):
            differs = _difference(viewer, table, set(wanted))
            found += self._wait(f"named viewer {number} differs from the table", differs)
        found += [breach for viewer in [*feed, *named] for breach in viewer.breaches]
        if over := self._third_party.counted["over budget"]:
            found.append(f"{over} requests over the third party's budget")
        return found

    def _wait(self, name: str, wrong: Callable[[], int]) -> list[str]:
        deadline = time.monotonic() + SETTLE_SECONDS
        while count := wrong():
            if time.monotonic() > deadline:
                return [f"{name}: {count}"]
            time.sleep(0.5)
        return []

    def _unfinished(self, ids: set[str]) -> int:
        table = self.table()
        return sum(table.get(one, {}).get("status") not in FINAL for one in ids)

    def _queued(self) -> int:
        total = 0
        for queue in QUEUES:
            url = self._system.outputs[queue]
            answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=DEPTHS)["Attributes"]
            total += sum(int(answer[name]) for name in DEPTHS)
        return total

    def _miscounted(self, table: dict[str, dict[str, Any]]) -> int:
        counts = httpx.get(f"{self._system.url}/api/stats", timeout=20).json().get("counts", {})
        real = Counter(job["status"] for job in table.values())
        return sum(abs(counts.get(status, 0) - real[status]) for status in STATUSES)


def _difference(viewer: Viewer, table: dict[str, dict[str, Any]], wanted: set[str]) -> Callable[[], int]:
    return lambda: sum(viewer.view.get(one) != table[one] for one in wanted)
