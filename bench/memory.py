"""What the functions' memory sizes rest on: how much each takes at its peak, and how much processor time.

Twice 300 jobs of ten topics go through the deployed whole while readers list them; the first time is to warm
up. The emulator runs each function in processes of its own; Linux tells of each the most that it has had in
memory and the time that it has used. Lambda gives a function processor time by its memory: 1,769 MB are one
core (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
"""

import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from local.processes import free_ports
from local.system import LocalSystem

JOBS = 300
TOPICS = 10
CLIENTS = 6
CHANGES = 20
LIMIT_SECONDS = 180
CORE_MB = 1769
SETTINGS = {
    "rate_limit": "5000",
    "post_rate": "1000",
    "post_burst": "1000",
    "api_rate": "1000",
    "api_burst": "1000",
}


@dataclass(frozen=True)
class Usage:
    """Of one process so far: its function's folder and memory size (MB), its peak (MB), its time (ms)."""

    function: str
    size: int
    peak: float
    cpu: float


Usages = dict[str, Usage]
"""By process id."""


def measure() -> None:
    """Start the local system, load it, print a table."""
    (port,) = free_ports(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalSystem(Path(folder) / "run", port, settings=SETTINGS, stand_in=["--limit", "5000"]) as system,
        httpx.Client(base_url=f"{system.url}/api/", timeout=60) as client,
    ):
        _load(client)
        before = dict(_usages(system.deployment.emulator.endpoint))
        lists = _load(client)
        after = dict(_usages(system.deployment.emulator.endpoint))
    _print(before, after, {"read_jobs": lists, "change_job": CHANGES})


def _load(client: httpx.Client) -> int:
    """Make the jobs, cancel a few, and list them until all have ended. Returns how often they were listed."""
    lists = 0
    with ThreadPoolExecutor(CLIENTS) as pool:
        topics = [{"query": f"topic {number % TOPICS}"} for number in range(JOBS)]
        made = list(pool.map(lambda topic: client.post("jobs", json=topic).json()["id"], topics))
        for one in made[-CHANGES:]:
            client.delete(f"jobs/{one}")
        deadline = time.monotonic() + LIMIT_SECONDS
        while client.get("stats").json()["counts"]["pending"]:
            list(pool.map(lambda page: client.get("jobs", params=page), [{"pageSize": 100}] * CLIENTS))
            lists += CLIENTS + 1
            if time.monotonic() > deadline:
                raise RuntimeError("the jobs did not end in time")
            time.sleep(1)
    return lists


def _usages(endpoint: str) -> Iterator[tuple[str, Usage]]:
    """Of every process that the emulator at this endpoint runs a function in."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            lines = (process / "environ").read_bytes().decode(errors="replace").split("\0")
            status, stat = (process / "status").read_text(), (process / "stat").read_text()
        except OSError:
            continue  # it has ended, or is somebody else's
        environment = dict(line.split("=", 1) for line in lines if "=" in line)
        function = environment.get("POWERTOOLS_SERVICE_NAME")
        size = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        if environment.get("AWS_ENDPOINT_URL") == endpoint and function and size:
            (peak,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
            user, system = stat.rsplit(") ", 1)[1].split()[11:13]
            seconds = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
            yield process.name, Usage(function, int(size), int(peak) / 1024, 1000 * seconds)


def _print(before: Usages, after: Usages, calls: dict[str, int]) -> None:
    """Time of warm processes only; of those that started meanwhile the peak counts."""
    print(f"\nmemory and processor time of each function, {JOBS} jobs\n")
    print(f"{'':16}{'size, MB':>10}{'peak, MB':>10}{'ms a job or call':>18}{'at its size':>13}")
    for name in sorted({usage.function for usage in after.values()}):
        found = {process: usage for process, usage in after.items() if usage.function == name}
        warm = sum(found[process].cpu - before[process].cpu for process in found if process in before)
        size, peak = max(one.size for one in found.values()), max(one.peak for one in found.values())
        cpu = warm / (calls.get(name) or JOBS)
        print(f"{name:16}{size:10}{peak:10.0f}{cpu:18.1f}{cpu * max(1, CORE_MB / size):13.1f}")
