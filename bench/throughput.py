"""How many jobs a second the local run resolves: 600 jobs of five topics from eight clients at once."""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from local.processes import free_ports
from local.system import LocalSystem

TOPICS = ("pasta", "salad", "pizza", "mountains", "coffee")
JOBS, CLIENTS = 600, 8


def measure() -> None:
    """Start the local system with its stand-in, measure, print one line."""
    (port,) = free_ports(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        # neither the budget nor the throttles may decide
        LocalSystem(
            Path(folder) / "run",
            port,
            settings={"rate_limit": "5000", "post_rate": "1000", "post_burst": "2000"},
            stand_in=["--limit", "5000"],
        ) as system,
        httpx.Client(base_url=f"{system.url}/api", timeout=60) as client,
    ):
        first = _burst(client, 1)  # while it goes on, functions start
        second = _burst(client, 2)
    print(f"\n{JOBS} jobs of {len(TOPICS)} topics from {CLIENTS} clients, jobs a second:")
    print(f"  after the start: {first:.1f}, and again: {second:.1f}")


def _burst(client: httpx.Client, number: int) -> float:
    """Return the jobs a second of the burst of this number."""
    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda job: _post(client, TOPICS[job % len(TOPICS)]), range(JOBS)))
    _wait_for(client, number * JOBS)
    return JOBS / (time.monotonic() - began)


def _post(client: httpx.Client, topic: str) -> None:
    client.post("/jobs", json={"query": topic}).raise_for_status()


def _wait_for(client: httpx.Client, resolved: int) -> None:
    """Raises RuntimeError if a job ends otherwise, or if it takes two minutes."""
    deadline = time.monotonic() + 120
    while (counts := client.get("/stats").json()["counts"])["resolved"] < resolved:
        if counts["error"] or time.monotonic() > deadline:
            raise RuntimeError(f"jobs did not all resolve: {counts}")
        time.sleep(0.1)
