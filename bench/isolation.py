"""How much slower photos become while another kind is busy and a third one crashes at every start."""

import json
import tempfile
from pathlib import Path
from statistics import median

import httpx

from bench.latency import JOBS, WARM_UP, measure_jobs
from local.deployment import ROOT
from local.processes import free_ports
from local.system import LocalSystem

OTHERS = 30
"""Jobs of each other kind. A local worker has three processes."""
SECONDS = 300
"""How long each countdown takes: longer than the measurement."""
SETTINGS = {"budget.unsplash": "5000", "kinds_folders": str(ROOT / "bench" / "kinds")}


def measure() -> None:
    """Measure photos alone, and then beside the other kinds. Print both medians and their ratio."""
    (port,) = free_ports(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalSystem(Path(folder) / "run", port, settings=SETTINGS, stand_in=["--limit", "5000"]) as system,
        httpx.Client(base_url=f"{system.url}/api/", timeout=60) as client,
    ):
        alone = median(times.total for times in measure_jobs(system.url, JOBS))
        for number in range(OTHERS):
            _create(client, "countdown", {"seconds": SECONDS})
            _create(client, "crashing", {})
            if number == 0:
                measure_jobs(system.url, WARM_UP)  # both other workers have started by then
        busy = median(times.total for times in measure_jobs(system.url, JOBS))
        shown = client.get("jobs", params={"kind": "countdown", "pageSize": "100"}).json()["data"]
        running = sum(job["progress"] is not None for job in shown)
    print(f"\nTime from POST of a photo to its live event, median of {JOBS} jobs (ms)\n")
    print(f"alone                                             {alone:8.0f}")
    print(f"beside {running} running countdowns and a crashing kind     {busy:8.0f}")
    print(f"ratio                                             {busy / alone:8.2f}")


def _create(client: httpx.Client, kind: str, job_input: dict[str, object]) -> None:
    body = json.dumps({"kind": kind, "input": job_input})
    client.post("jobs", content=body).raise_for_status()
