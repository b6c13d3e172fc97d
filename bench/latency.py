"""Time from POST to the live event `resolved` in a local run, one job at a time, split into stages."""

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import httpx
from httpx_sse import connect_sse

from local.processes import free_ports
from local.system import LocalSystem

WARM_UP = 3
JOBS = 30


@dataclass(frozen=True)
class Times:
    """Milliseconds of one job. All times are from the clock of this machine."""

    total: float
    post: float
    work: float
    publish: float


def measure() -> None:
    """Start the local system, measure and print a table."""
    (port,) = free_ports(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        # the budget must last for the whole measurement
        LocalSystem(
            Path(folder) / "run", port, settings={"budget.unsplash": "5000"}, stand_in=["--limit", "5000"]
        ) as system,
    ):
        times = measure_jobs(system.url, JOBS)
    _print(times)


def measure_jobs(url: str, count: int) -> list[Times]:
    """Create photo jobs one after the other, and return the times of all but the first WARM_UP."""
    with httpx.Client(timeout=60) as client, connect_sse(client, "GET", f"{url}/api/live") as source:
        events = source.iter_sse()
        times = []
        for number in range(WARM_UP + count):
            began = time.time()
            job = client.post(f"{url}/api/jobs", json={"query": "pasta"}).json()
            posted = time.time()
            while True:
                event = next(events)
                received = json.loads(event.data) if event.data else {}
                if received.get("id") == job["id"] and received["status"] != "pending":
                    break
            received_at = time.time()
            if number >= WARM_UP:
                times.append(_times(began, posted, received["updated_at"] / 1000, received_at))
    return times


def _times(began: float, posted: float, written: float, received_at: float) -> Times:
    return Times(
        total=1000 * (received_at - began),
        post=1000 * (posted - began),
        work=1000 * (written - posted),
        publish=1000 * (received_at - written),
    )


def _print(times: list[Times]) -> None:
    print(f"\nTime from POST to live event, one job at a time, {len(times)} jobs (ms)\n")
    print(f"{'':34}{'p50':>8}{'p95':>8}{'max':>8}")
    rows = {
        "total: POST sent to event received": [job.total for job in times],
        "  POST answered": [job.post for job in times],
        "  worked and written to the table": [job.work for job in times],
        "  stream, Pipe, SNS, SQS, relay": [job.publish for job in times],
    }
    for name, values in rows.items():
        p95 = quantiles(values, n=20)[-1]
        print(f"{name:34}{median(values):8.0f}{p95:8.0f}{max(values):8.0f}")
