"""Loading time of the web app: the jobs page of the local system, in a browser with an empty cache."""

import gzip
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from playwright.sync_api import Browser

from local.chromium import HOW_TO_GET, find_chromium, launch
from local.deployment import ROOT
from local.processes import free_ports
from local.system import LocalSystem

JOBS = 24
RUNS = 9
OBSERVE = """
window.measured = {lcp: 0, cls: 0, blocked: 0};
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) window.measured.lcp = entry.startTime;
}).observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) window.measured.cls += entry.value;
}).observe({type: "layout-shift", buffered: true});
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) window.measured.blocked += Math.max(0, entry.duration - 50);
}).observe({type: "longtask", buffered: true});
"""


def measure() -> None:
    """Start the local system, create a page of jobs, load the page several times and print a table."""
    chromium = find_chromium()
    if chromium is None:
        print(HOW_TO_GET)
        return
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as folder, LocalSystem(Path(folder) / "run", port) as system:
        _create_jobs(system.url)
        with launch(chromium) as browser:
            visits = [_visit(browser, system.url) for _ in range(RUNS + 1)][1:]
    _print(visits)


def _print(visits: list[dict[str, Any]]) -> None:
    print(f"\nJobs page with {JOBS} photos, cold cache, {RUNS} visits\n")
    print(f"{'':34}{'median':>9}{'max':>9}")
    for name, key, unit in (
        ("first contentful paint", "fcp", "ms"),
        ("largest contentful paint", "lcp", "ms"),
        ("total blocking time", "blocked", "ms"),
        ("cumulative layout shift", "cls", ""),
    ):
        values = [visit[key] for visit in visits]
        digits = 0 if unit else 3
        print(f"{name:34}{median(values):9.{digits}f}{max(values):9.{digits}f} {unit}")
    for suffix in ("js", "css"):
        files = (ROOT / "frontend" / "dist" / "assets").glob(f"*.{suffix}")
        size = sum(len(gzip.compress(file.read_bytes())) for file in files)
        print(f"{suffix + ', gzipped':34}{size / 1000:9.1f} KB")


def _create_jobs(url: str) -> None:
    """Create a page of jobs and wait until all are resolved. Raise TimeoutError after two minutes."""
    with httpx.Client(base_url=f"{url}/api/", timeout=60) as http:
        for _ in range(JOBS):
            http.post("jobs", json={"query": "pasta"}).raise_for_status()
        deadline = time.monotonic() + 120
        while http.get("stats").json()["counts"]["resolved"] < JOBS:
            if time.monotonic() > deadline:
                raise TimeoutError("the jobs were not resolved within two minutes")
            time.sleep(0.5)


def _visit(browser: Browser, url: str) -> dict[str, Any]:
    """Load the page in a new context. Return its measurements; all but `cls` are in milliseconds."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    context.add_init_script(OBSERVE)
    page = context.new_page()
    page.goto(url)
    page.locator(".photo[data-state=shown]").nth(3).wait_for()
    page.wait_for_timeout(1000)  # include late layout shifts and long tasks
    measured: dict[str, Any] = page.evaluate("window.measured")
    paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    measured["fcp"] = page.evaluate(paint)
    context.close()
    return measured


if __name__ == "__main__":
    measure()
