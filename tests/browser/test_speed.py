"""The size of the first load, and the page's responsiveness under many events."""

import gzip
import re
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from functions.common.clock import now_ms
from functions.common.job import Job
from functions.sse_relay.job_change import JobChange
from tests.browser.offline import DIST, serve_app
from tests.browser.web_app import expect_live
from tests.integration.conftest import eventually
from tests.relay.process import RelayProcess, relay_process

JOBS = 50
PER_SECOND = 500
SECONDS = 6
FRAMES = """() => {
  window.gaps = [];
  window.writes = 0;
  new MutationObserver(() => { window.writes += 1; }).observe(document.querySelector(".grid"), {
    subtree: true, attributes: true, attributeFilter: ["data-version"],
  });
  let last = performance.now();
  const frame = (now) => { window.gaps.push(now - last); last = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""


def test_the_first_view_needs_less_than_100_kb_of_javascript(storm_page: tuple[Page, RelayProcess]) -> None:
    """The first view is the list with the form: also the code that is loaded for its kind, photo.

    The code of the job page and that of the background, such as announcements, is loaded when the browser is
    idle. A test below shows that the list works without that of the page.
    """
    page, _ = storm_page
    expect(page.get_by_role("textbox", name="Topic")).to_be_visible()
    scripts = {name for name in loaded_scripts(page) if not name.startswith(("job-page-", "background-"))}
    assert len(scripts) > 1
    assert list((DIST / "assets").glob("sign-in-*.js"))
    assert not any(name.startswith("sign-in") for name in scripts)  # without sign-in it is not needed
    size = sum(len(gzip.compress((DIST / "assets" / name).read_bytes())) for name in scripts)
    print(f"{size / 1000:.1f} KB")
    assert size < 100_000


def loaded_scripts(page: Page) -> set[str]:
    """Return the file names of the scripts that the page has loaded."""
    urls = page.evaluate("performance.getEntriesByType('resource').map(resource => resource.name)")
    return {name for url in urls if (name := url.rpartition("/")[2]).endswith(".js")}


def test_the_code_of_the_job_page_is_loaded_before_it_is_needed(
    storm_page: tuple[Page, RelayProcess],
) -> None:
    page, _ = storm_page
    eventually(lambda: any(name.startswith("job-page") for name in loaded_scripts(page)))
    page.context.set_offline(True)
    page.locator(".card[data-job] h2 a").first.click()
    expect(page.locator(".timeline")).to_be_visible()


def test_a_job_page_whose_code_cannot_be_loaded_says_so_and_recovers(
    storm_page: tuple[Page, RelayProcess],
) -> None:
    page, _ = storm_page
    page.route("**/assets/job-page-*.js", lambda route: route.abort())
    page.reload()
    expect(page.locator(".card[data-job]")).to_have_count(JOBS)
    page.locator(".card[data-job] h2 a").first.click()
    expect(page.get_by_role("alert")).to_contain_text("This page couldn't be loaded. Trying again")
    expect(page.get_by_role("button", name="Reload")).to_be_visible()
    page.unroute("**/assets/job-page-*.js")
    expect(page.locator(".timeline")).to_be_visible()


def test_the_page_has_no_inline_code_that_its_content_security_policy_blocks() -> None:
    page = (DIST / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page) == []


def make_job(number: int, version: int) -> Job:
    now = now_ms()
    return Job(
        id=f"00000000-0000-4000-8000-{number:012d}",
        input={"query": f"topic {number}"},
        created_at=1_800_000_000_000 + number,
        updated_at=now,
        expires_at=now,
        version=version,
        deferred_until=now + 3_600_000 if version % 2 else None,
    )


@pytest.fixture
def storm_page(browser: Browser) -> Iterator[tuple[Page, RelayProcess]]:
    """Yield the built web app with a list of 50 jobs, and the relay that provides its stream."""
    jobs = [make_job(number, 1).public_view() for number in reversed(range(JOBS))]
    responses: dict[str, Any] = {
        "/api/jobs": {
            "total": JOBS, "page": 1, "pageSize": JOBS, "totalPages": 1, "data": jobs,
            "next_cursor": None, "live_cursor": str(now_ms()),
        },
        **{f"/api/jobs/{job['id']}": job for job in jobs},
    }  # fmt: skip

    with relay_process() as relay, closing(browser.new_context()) as context:
        page = context.new_page()
        serve_app(page, relay.url, responses)
        # the stream comes from the relay
        page.route("**/api/live*", lambda route: route.continue_(url=f"{relay.url}/live"))
        page.goto(f"{relay.url}/")
        expect_live(page)
        yield page, relay


class MainThread:
    """CPU time of the thread that runs the page and handles its input.

    CPU time does not include the time of other processes, so the figure is the same on a busy machine.
    """

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def cpu_seconds(self) -> float:
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return next(float(metric["value"]) for metric in metrics if metric["name"] == "ThreadTime")


def seconds_per_key(page: Page) -> float:
    topic = page.get_by_role("textbox", name="Topic")
    start = time.monotonic()
    topic.press_sequentially("still here")
    expect(topic).to_have_value("still here")
    return (time.monotonic() - start) / len("still here")


def test_the_page_stays_responsive_under_500_events_a_second(
    storm_page: tuple[Page, RelayProcess],
) -> None:
    page, relay = storm_page
    expect(page.locator(".card[data-job]")).to_have_count(JOBS)
    page.evaluate(FRAMES)
    main_thread = MainThread(page)
    cpu_seconds_before = main_thread.cpu_seconds()
    start = time.monotonic()
    events = PER_SECOND * SECONDS
    for number in range(0, events, 2):
        jobs = [make_job(event % JOBS, 2 + event // JOBS) for event in (number, number + 1)]
        relay.publish(*map(JobChange.from_job, jobs))
        time.sleep(max(0.0, start + number / PER_SECOND - time.monotonic()))
        if number == events // 2:
            key_seconds = seconds_per_key(page)
    last_version = 2 + (events - 1) // JOBS
    read_versions = "cards => cards.map(card => Number(card.dataset.version))"
    eventually(lambda: page.locator(".card[data-job]").evaluate_all(read_versions) == [last_version] * JOBS)
    cpu_seconds = main_thread.cpu_seconds() - cpu_seconds_before
    gaps = sorted(page.evaluate("window.gaps"))
    p95, writes = gaps[int(len(gaps) * 0.95)], page.evaluate("window.writes")
    print(
        f"{writes} page updates in {len(gaps)} frames, p95 {p95:.0f} ms, longest {gaps[-1]:.0f} ms; "
        f"a key takes {key_seconds * 1000:.0f} ms; an update {cpu_seconds / writes * 1000:.1f} ms of CPU time"
    )
    assert writes <= len(gaps)  # at most one page update per frame
    assert cpu_seconds / writes < 1 / 30  # an update is short enough for 30 frames a second
