"""From POST to the live event `resolved` on the local run, one job at a time, and where the time goes."""

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
    """Milliseconds of one job. All clocks are this machine's."""

    total: float
    post: float
    work: float
    publish: float


def measure() -> None:
    """Start the local system, measure, print a table."""
    (port,) = free_ports(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        # the budget must not end in the middle of the measurement
        LocalSystem(
            Path(folder) / "run", port, settings={"rate_limit": "5000"}, stand_in=["--limit", "5000"]
        ) as system,
        httpx.Client(timeout=60) as client,
        connect_sse(client, "GET", f"{system.url}/api/live") as source,
    ):
        events = source.iter_sse()
        times = []
        for number in range(WARM_UP + JOBS):
            began = time.time()
            job = client.post(f"{system.url}/api/jobs", json={"query": "pasta"}).json()
            posted = time.time()
            while True:
                event = next(events)
                shown = json.loads(event.data) if event.data else {}
                if shown.get("id") == job["id"] and shown["status"] != "pending":
                    break
            seen = time.time()
            if number >= WARM_UP:
                times.append(_times(began, posted, shown["updated_at"] / 1000, seen))
    _print(times)


def _times(began: float, posted: float, written: float, seen: float) -> Times:
    parts = (seen - began, posted - began, written - posted, seen - written)
    return Times(*(1000 * part for part in parts))


def _print(times: list[Times]) -> None:
    print(f"\nPOST to live event, one job at a time, {len(times)} jobs (ms)\n")
    print(f"{'':34}{'p50':>8}{'p95':>8}{'max':>8}")
    rows = {
        "total: POST sent to event received": [one.total for one in times],
        "  POST answered": [one.post for one in times],
        "  worked and written to the table": [one.work for one in times],
        "  stream, Pipe, SNS, SQS, relay": [one.publish for one in times],
    }
    for name, values in rows.items():
        p95 = quantiles(values, n=20)[-1]
        print(f"{name:34}{median(values):8.0f}{p95:8.0f}{max(values):8.0f}")
