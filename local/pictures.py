"""`make pictures`: takes the screenshots of README and docs from a local system.

It creates jobs until there is one in every state, and overwrites the files in docs/pictures/.
"""

import io
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from local.chromium import HOW_TO_GET, find_chromium, launch
from local.deployment import ROOT
from local.processes import free_ports
from local.system import LocalSystem

PICTURES = ROOT / "docs" / "pictures"
TOPICS = ["sunset at sea", "pasta", "forest path", "coffee", "mountain lake", "pancakes", "city at night"]
REQUESTS = 50
"""The third party's hourly limit."""
WIDE: Any = {"width": 1280, "height": 900}
PHONE: Any = {"width": 390, "height": 844}


def main() -> int:
    """Return the exit status."""
    chromium = find_chromium()
    if chromium is None:
        print(HOW_TO_GET, file=sys.stderr)
        return 1
    PICTURES.mkdir(exist_ok=True)
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as folder, LocalSystem(Path(folder) / "run", port) as system:
        with httpx.Client(base_url=f"{system.url}/api/", timeout=30) as http:
            resolved = make_jobs(system, http)
        with launch(chromium) as browser:
            take(browser, system.url, "jobs", "/", viewport=WIDE)
            take(browser, system.url, "jobs-dark", "/", viewport=WIDE, color_scheme="dark")
            take(browser, system.url, "jobs-phone", "/", viewport=PHONE, device_scale_factor=2)
            take(browser, system.url, "job", f"/jobs/{resolved}", viewport=WIDE)
    return 0


def make_jobs(system: LocalSystem, http: httpx.Client) -> str:
    """Create a job in every state. Returns the id of a resolved one."""
    resolved = [create(http, topic) for topic in TOPICS]
    failed = create(http, "nothing")
    wait_for(http, dict.fromkeys(resolved, "resolved") | {failed: "error"})
    spend_budget(system)
    deferred = create(http, "lighthouse")
    wait_for(http, {deferred: "pending"}, deferred=True)
    spares = [create(http, TOPICS[0])]  # topics that still have spare photos
    cancelled = create(http, "fried egg", delay_seconds=900)
    http.delete(f"jobs/{cancelled}")
    spares += [create(http, topic) for topic in TOPICS[1:3]]
    create(http, "apple pie", delay_seconds=900)
    spares.append(create(http, TOPICS[3]))
    wait_for(http, dict.fromkeys(spares, "resolved"))
    return spares[0]


def create(http: httpx.Client, query: str, **fields: Any) -> str:
    answer = http.post("jobs", json={"query": query, **fields})
    answer.raise_for_status()
    return str(answer.json()["id"])


def spend_budget(system: LocalSystem) -> None:
    """Use the remaining hourly requests, like another user of the access key."""
    url = f"{system.third_party.api_url}/photos/random?count=1"
    request = urllib.request.Request(url, headers={"Authorization": "Client-ID local"})  # noqa: S310
    for _ in range(REQUESTS):
        try:
            urllib.request.urlopen(request).close()  # noqa: S310
        except urllib.error.HTTPError:
            return


def wait_for(http: httpx.Client, statuses: dict[str, str], *, deferred: bool = False) -> None:
    """Wait until the jobs have these statuses. Raises TimeoutError."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        jobs = [http.get(f"jobs/{job_id}").json() for job_id in statuses]
        if all(job["status"] == statuses[job["id"]] for job in jobs) and (
            not deferred or all(job["deferred_until"] for job in jobs)
        ):
            return
        time.sleep(0.2)
    raise TimeoutError(f"jobs did not reach these statuses in time: {statuses}")


def take(browser: Browser, url: str, name: str, path: str, **options: Any) -> None:
    """Take a screenshot of the top of a page when its images are loaded."""
    context = browser.new_context(reduced_motion="reduce", **options)
    page = context.new_page()
    page.goto(f"{url}{path}")
    expect(page.locator(".live")).to_have_attribute("data-status", "live")
    _wait_for_images(page)
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.convert("RGB").save(PICTURES / f"{name}.webp", quality=80, method=6)
    print(f"docs/pictures/{name}.webp")
    context.close()


def _wait_for_images(page: Page) -> None:
    expect(page.locator(".photo").first).to_be_visible()
    loading = ".photo:not([data-state=shown]) img[loading=eager]"
    expect(page.locator(loading)).to_have_count(0, timeout=20_000)
    page.wait_for_timeout(1000)  # for partly visible images, and for the fade-in


if __name__ == "__main__":
    sys.exit(main())
