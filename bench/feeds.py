"""What a change costs the relay to take in: off its queue, and as a line. Why workers share one feed."""

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from bench.relay.servers import cpu_seconds, relay
from functions.common.job import Job
from functions.sse_relay.change import change_of, line_of
from local.processes import free_ports
from local.system import LocalSystem

CHANGES = 2000
TOGETHER = 10
NOW = 1_700_000_000_000
SECONDS = 60


def measure() -> None:
    """Print µs of processor time a change, with nobody listening."""
    jobs = [
        Job(
            id=f"00000000-0000-4000-8000-{number:012d}",
            query="pasta",
            created_at=NOW,
            updated_at=NOW,
            expires_at=NOW,
        )
        for number in range(CHANGES)
    ]
    print(f"\nthe relay's processor time for a change, {CHANGES} changes of ten together (µs)\n")
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'off its queue':34}{_off_queue(jobs, Path(folder)):8.0f}")
        print(f"{'as lines, as a worker gets them':34}{_as_lines(jobs, Path(folder)):8.0f}")


def _off_queue(jobs: list[Job], folder: Path) -> float:
    (port,) = free_ports(1)
    with (
        LocalSystem(folder / "run", port) as system,
        contextlib.closing(system.emulator.client("sns")) as sns,
        system.another_relay({}) as running,
    ):

        def publish(some: list[Job]) -> None:
            entries = [
                {"Id": job.id, "Message": json.dumps({"dynamodb": {"NewImage": job.to_item()}})}
                for job in some
            ]
            sns.publish_batch(TopicArn=system.outputs["TopicArn"], PublishBatchRequestEntries=entries)

        return _cost(jobs, publish, running.process.pid, running.url.removesuffix("/live"))


def _as_lines(jobs: list[Job], folder: Path) -> float:
    with relay(folder, core=0) as running:

        def publish(some: list[Job]) -> None:
            os.write(int(running.publish), b"".join(line_of(change_of(job)) + b"\n" for job in some))

        return _cost(jobs, publish, running.pid, f"http://127.0.0.1:{running.port}")


def _cost(jobs: list[Job], publish: Callable[[list[Job]], None], pid: int, url: str) -> float:
    before = cpu_seconds(pid)
    for start in range(0, CHANGES, TOGETHER):
        publish(jobs[start : start + TOGETHER])
    deadline = time.monotonic() + SECONDS
    while f"relay_events_in_total {CHANGES}.0" not in httpx.get(f"{url}/metrics").text:
        if time.monotonic() > deadline:
            raise RuntimeError("the changes did not all arrive")
        time.sleep(0.2)
    return (cpu_seconds(pid) - before) / CHANGES * 1e6
