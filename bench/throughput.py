"""Jobs per second that the local run resolves: 600 jobs of five topics from eight concurrent clients."""

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
    """Start the local system with its stand-in, measure two bursts and print their rates."""
    (port,) = free_ports(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        # neither the budget nor throttling may limit the rate
        LocalSystem(
            Path(folder) / "run",
            port,
            settings={"budget.unsplash": "5000", "post_rate": "1000", "post_burst": "2000"},
            stand_in=["--limit", "5000"],
        ) as system,
        httpx.Client(base_url=f"{system.url}/api", timeout=60) as client,
    ):
        first = _burst(client, 1)  # includes the start of the functions
        second = _burst(client, 2)
    print(f"\n{JOBS} jobs of {len(TOPICS)} topics from {CLIENTS} clients, jobs per second:")
    print(f"  first burst (functions start): {first:.1f}, second burst: {second:.1f}")


def _burst(client: httpx.Client, number: int) -> float:
    """Post burst `number`, counted from 1, and return the jobs resolved per second."""
    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda job: _post(client, TOPICS[job % len(TOPICS)]), range(JOBS)))
    _wait_for(client, number * JOBS)
    return JOBS / (time.monotonic() - began)


def _post(client: httpx.Client, topic: str) -> None:
    client.post("/jobs", json={"query": topic}).raise_for_status()


def _wait_for(client: httpx.Client, resolved: int) -> None:
    """Wait for this many resolved jobs. Raise RuntimeError if a job fails, or after two minutes."""
    deadline = time.monotonic() + 120
    while (counts := client.get("/stats").json()["counts"])["resolved"] < resolved:
        if counts["error"] or time.monotonic() > deadline:
            raise RuntimeError(f"not all jobs were resolved: {counts}")
        time.sleep(0.1)
