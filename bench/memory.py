"""Peak memory and CPU time of each function, from which the functions' memory sizes are chosen.

300 jobs of ten topics go through the local system twice while clients list them; the first pass is a warm-up.
Each job has a webhook. The emulator runs each function in separate processes, and Linux reports the peak
memory and the CPU time of each process. Lambda allocates CPU in proportion to memory: 1,769 MB correspond to
one vCPU (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
"""

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from local.processes import free_ports
from local.system import LocalSystem

JOBS = 300
TOPICS = 10
CLIENTS = 6
CHANGES = 20
LIST_ROUNDS = 10
"""Each client lists the jobs at least this often, even if all jobs have ended earlier."""
LIMIT_SECONDS = 180
CORE_MB = 1769
SETTINGS = {
    "budget.unsplash": "5000",
    "post_rate": "1000",
    "post_burst": "1000",
    "api_rate": "1000",
    "api_burst": "1000",
}


@dataclass(frozen=True)
class Usage:
    """One process: folder and memory size (MB) of its function, peak memory (MB) and CPU time (ms) so far."""

    function: str
    size: int
    peak: float
    cpu: float


Usages = dict[str, Usage]
"""Usage by process ID."""


def measure() -> None:
    """Start the local system, send it jobs and print a table."""
    (port,) = free_ports(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        _receiver() as receiver,
        LocalSystem(
            Path(folder) / "run",
            port,
            settings={**SETTINGS, "webhook_private_hosts": receiver.address},
            stand_in=["--limit", "5000"],
        ) as system,
        httpx.Client(base_url=f"{system.url}/api/", timeout=60) as client,
    ):
        _load(client, receiver)
        before = dict(_usages(system.deployment.emulator.endpoint))
        lists = _load(client, receiver)
        after = dict(_usages(system.deployment.emulator.endpoint))
    calls = {"read_jobs": lists, "change_job": CHANGES, "schedules": 2 * CHANGES, "webhooks": CHANGES}
    _print(before, after, calls)


class Receiver(ThreadingHTTPServer):
    """Keeps the ids of the webhooks that it receives."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: set[str] = set()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.add(self.headers["webhook-id"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def _receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def _load(client: httpx.Client, receiver: Receiver) -> int:
    """Create the jobs, cancel some, list them until all have ended and their webhooks were received. Create
    and delete schedules. Return the calls of read_jobs.
    """
    rounds, expected = 0, len(receiver.received) + JOBS
    with ThreadPoolExecutor(CLIENTS) as pool:
        hook = f"http://{receiver.address}/"
        bodies = [{"query": f"topic {number % TOPICS}", "notify": hook} for number in range(JOBS)]
        job_ids = list(pool.map(lambda body: client.post("jobs", json=body).json()["id"], bodies))
        for job_id in job_ids[-CHANGES:]:
            client.delete(f"jobs/{job_id}")
        for _ in range(CHANGES):
            schedule = client.post("schedules", json={"cron": "0 9 * * *"}).json()
            client.delete(f"schedules/{schedule['id']}")
            client.get("webhooks/secret")
        deadline = time.monotonic() + LIMIT_SECONDS
        while len(receiver.received) < expected or rounds < LIST_ROUNDS:
            list(pool.map(lambda page: client.get("jobs", params=page), [{"pageSize": 100}] * CLIENTS))
            rounds += 1
            if time.monotonic() > deadline:
                raise RuntimeError(f"the jobs did not end within {LIMIT_SECONDS} seconds")
            time.sleep(1)
    return rounds * (CLIENTS + 1)


def _usages(endpoint: str) -> Iterator[tuple[str, Usage]]:
    """Yield the ID and usage of each process in which the emulator at this endpoint runs a function."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            lines = (process / "environ").read_bytes().decode(errors="replace").split("\0")
            status, stat = (process / "status").read_text(), (process / "stat").read_text()
        except OSError:
            continue  # the process has ended, or belongs to another user
        environment = dict(line.split("=", 1) for line in lines if "=" in line)
        function = environment.get("POWERTOOLS_SERVICE_NAME")
        size = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        if environment.get("AWS_ENDPOINT_URL") == endpoint and function and size:
            (peak,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
            user, system = stat.rsplit(") ", 1)[1].split()[11:13]
            seconds = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
            yield process.name, Usage(function, int(size), int(peak) / 1024, 1000 * seconds)


def _print(before: Usages, after: Usages, calls: dict[str, int]) -> None:
    """Print the table. CPU time is of processes that were warm `before`; peak memory is of all processes."""
    print(f"\nMemory and CPU time of each function, {JOBS} jobs\n")
    print(f"{'':16}{'size, MB':>10}{'peak, MB':>10}{'ms per job or call':>20}{'at its size':>13}")
    for name in sorted({usage.function for usage in after.values()}):
        processes = {process: usage for process, usage in after.items() if usage.function == name}
        warm = sum(
            usage.cpu - before[process].cpu for process, usage in processes.items() if process in before
        )
        size = max(usage.size for usage in processes.values())
        peak = max(usage.peak for usage in processes.values())
        cpu = warm / (calls.get(name) or JOBS)
        print(f"{name:16}{size:10}{peak:10.0f}{cpu:20.1f}{cpu * max(1, CORE_MB / size):13.1f}")
