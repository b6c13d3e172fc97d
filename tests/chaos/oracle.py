"""Check the invariants after the faults have stopped."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx

from functions.common.job import STATUSES, Job
from local.system import LocalSystem
from tests.chaos.clients import Callers
from tests.chaos.damage import DAMAGED_ID
from tests.chaos.faults import NOTICES, QUEUES
from tests.chaos.receiver import Receiver
from tests.chaos.third_party import ThirdParty
from tests.chaos.timetable import Timetable
from tests.chaos.viewers import FINAL, Viewer

SETTLE_SECONDS = 480.0
"""A message whose workers die is received five times, after 48 s each, and then once or twice by dlq_worker,
whose messages return after 120 s."""
DEPTHS = [f"ApproximateNumberOfMessages{suffix}" for suffix in ("", "NotVisible", "Delayed")]


class Oracle:
    """Compares queues, counters, viewers, webhooks, schedules and clients with the jobs table, which is the
    source of truth.
    """

    def __init__(
        self,
        system: LocalSystem,
        callers: Callers,
        timetable: Timetable,
        third_party: ThirdParty,
        receiver: Receiver,
    ) -> None:
        self._system = system
        self._callers = callers
        self._timetable = timetable
        self._receiver = receiver
        self._third_party = third_party
        self._dynamodb = system.emulator.client("dynamodb")
        self._sqs = system.emulator.client("sqs")
        self._s3 = system.emulator.client("s3")

    def close(self) -> None:
        self._dynamodb.close()
        self._sqs.close()
        self._s3.close()

    def jobs(self) -> dict[str, Job]:
        """Return all jobs by ID. Neither damaged items nor schedules, whose IDs contain a #, are jobs."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._system.outputs["JobsTable"], ConsistentRead=True
        )
        items = [item for page in pages for item in page["Items"]]
        ids = [item["id"]["S"] for item in items]
        return {
            job_id: Job.from_item(item)
            for job_id, item in zip(ids, items, strict=True)
            if not job_id.startswith(DAMAGED_ID) and "#" not in job_id
        }

    def breaches(self, feed: list[Viewer], named: dict[Viewer, list[str]]) -> list[str]:
        """Wait until the system has settled, and return a description of each broken invariant.

        `named` maps the viewers of single jobs to the IDs that they asked for.
        """
        ids = set(self._callers.ids()) | self._timetable.ids
        breaches = [*self._callers.breaches]
        breaches += self._wait("jobs without a final status", lambda: self._unfinished(ids))
        breaches += self._wait("messages remaining in queues", self._queued)
        jobs = self.jobs()
        table = {job_id: job.public_view() for job_id, job in jobs.items()}
        if set(table) != ids:
            breaches.append(f"{len(ids)} jobs accepted or scheduled, {len(table)} in the table")
        breaches += self._wait("ended jobs without a webhook", lambda: self._receiver.undelivered(jobs))
        breaches += self._receiver.breaches(jobs)
        breaches += self._wait("counters differ from a full count", lambda: self._miscounted(table))
        for number, viewer in enumerate(feed):
            breaches += self._wait(
                f"feed viewer {number} differs from the table", _difference(viewer, table, ids)
            )
        for number, (viewer, job_ids) in enumerate(named.items()):
            differs = _difference(viewer, table, set(job_ids))
            breaches += self._wait(f"named viewer {number} differs from the table", differs)
        breaches += [breach for viewer in [*feed, *named] for breach in viewer.breaches]
        if over := self._third_party.counts["over budget"]:
            breaches.append(f"{over} requests over the third party's budget")
        if returned := self._third_party.counts["cookies sent back"]:
            breaches.append(f"{returned} requests with a cookie")
        if incomplete := self._incomplete_images():
            breaches.append(f"{incomplete} stored images are not complete")
        return breaches

    def _incomplete_images(self) -> int:
        """Return how many stored images are not the third party's whole picture."""
        bucket = self._system.outputs["ImagesBucket"]
        incomplete = 0
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="images/photo/"):
            for entry in page.get("Contents", []):
                stored = self._s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
                incomplete += stored != self._third_party.picture
        return incomplete

    def _wait(self, name: str, count_errors: Callable[[], int]) -> list[str]:
        """Wait until there are no errors. After SETTLE_SECONDS return a breach with their number."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while count := count_errors():
            if time.monotonic() > deadline:
                return [f"{name}: {count}"]
            time.sleep(0.5)
        return []

    def _unfinished(self, ids: set[str]) -> int:
        jobs = self.jobs()
        return sum(job_id not in jobs or jobs[job_id].status not in FINAL for job_id in ids)

    def _queued(self) -> int:
        total = 0
        notices = [url for url in self._sqs.list_queues()["QueueUrls"] if NOTICES in url]
        for url in [*(self._system.outputs[queue] for queue in QUEUES), *notices]:
            answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=DEPTHS)["Attributes"]
            total += sum(int(answer[name]) for name in DEPTHS)
        return total

    def _miscounted(self, table: dict[str, dict[str, Any]]) -> int:
        counts = httpx.get(f"{self._system.url}/api/stats", timeout=20).json().get("counts", {})
        expected = Counter(job["status"] for job in table.values())
        return sum(abs(counts.get(status, 0) - expected[status]) for status in STATUSES)


def _difference(viewer: Viewer, table: dict[str, dict[str, Any]], ids: set[str]) -> Callable[[], int]:
    """Return a function that counts the jobs that the viewer sees differently from the table."""
    return lambda: sum(viewer.view.get(job_id) != table[job_id] for job_id in ids)
