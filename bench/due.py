"""How long the watchdog needs for 10,000 jobs, and for 1,000 schedules, that are due in the same minute."""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from functions.common.attributes import Item
from functions.common.job import Job, shards
from functions.common.schedule import Schedule
from local.processes import free_ports
from local.system import LocalSystem

JOBS, SCHEDULES = 10_000, 1_000
WRITE_BATCH = 25
LATER_MS = 10 * 60_000
"""When the jobs are due: soon enough for a message, and late enough that none of them starts."""
TIMEOUT_SECONDS = 900


def measure() -> None:
    """Start the local system, measure jobs and then schedules, and print the seconds."""
    (port,) = free_ports(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalSystem(Path(folder) / "run", port) as system,
    ):
        table, dynamodb = system.outputs["JobsTable"], system.emulator.client("dynamodb")
        jobs = _seconds(dynamodb, table, _jobs)
        schedules = _seconds(dynamodb, table, _schedules)
    print("\nDue in the same minute, seconds until all are queued, the wait for the next run included:")
    print(f"  {JOBS} delayed jobs: {jobs:.0f}, {SCHEDULES} schedules: {schedules:.0f}")


def _jobs() -> Iterator[Item]:
    """Yield jobs that have been waiting in the table, and are due later."""
    due = round(time.time() * 1000) + LATER_MS
    job = Job(
        id="",
        kind="countdown",
        input={"seconds": 1},
        parked=True,
        created_at=due,
        updated_at=due,
        due_at=due,
        wake_at=due,
    )
    for _ in range(JOBS):
        yield replace(job, id=str(uuid4())).to_item()


def _schedules() -> Iterator[Item]:
    """Yield schedules that are due now, and next in a year or so."""
    now = round(time.time() * 1000)
    schedule = Schedule(
        id="",
        owner="public",
        kind="countdown",
        input={"seconds": 1},
        cron="0 0 1 1 *",
        timezone="UTC",
        caller="",
        created_at=now,
        updated_at=now,
        wake_at=now,
    )
    for _ in range(SCHEDULES):
        yield replace(schedule, id=str(uuid4())).to_item()


def _seconds(dynamodb: Any, table: str, items: Callable[[], Iterator[Item]]) -> float:
    """Write the items, and return how long it takes until none is due, in the index."""
    batch: list[Any] = []
    for item in items():
        batch.append({"PutRequest": {"Item": item}})
        if len(batch) == WRITE_BATCH:
            _write(dynamodb, table, batch)
            batch = []
    began = time.monotonic()
    while (remaining := _count_due(dynamodb, table)) and time.monotonic() < began + TIMEOUT_SECONDS:
        print(f"  {time.monotonic() - began:4.0f} s: {remaining} are due", flush=True)
        time.sleep(5)
    if remaining:
        raise RuntimeError(f"{remaining} are still due")
    return time.monotonic() - began


def _write(dynamodb: Any, table: str, batch: list[Any]) -> None:
    request = {table: batch}
    while request:
        request = dynamodb.batch_write_item(RequestItems=request).get("UnprocessedItems") or {}


def _count_due(dynamodb: Any, table: str) -> int:
    latest = str(round(time.time() * 1000) + LATER_MS)
    total = 0
    for partition in shards("wait"):
        pages = dynamodb.get_paginator("query").paginate(
            TableName=table,
            IndexName="by-due",
            Select="COUNT",
            KeyConditionExpression="due_shard = :partition AND wake_at <= :latest",
            ExpressionAttributeValues={":partition": {"S": partition}, ":latest": {"N": latest}},
        )
        total += sum(page["Count"] for page in pages)
    return total
