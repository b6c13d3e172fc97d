"""The first view is small, and a storm of events leaves the page responsive."""

import gzip
import re
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from functions.common.clock import now_ms
from functions.common.job import Job
from functions.sse_relay.change import change_of
from local.deployment import ROOT
from tests.browser.web_app import is_live
from tests.integration.conftest import eventually
from tests.relay.process import RelayProcess, relay_process

DIST = ROOT / "frontend" / "dist"
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


def test_the_first_view_needs_less_than_100_kb_of_javascript() -> None:
    page = (DIST / "index.html").read_text()
    scripts = re.findall(r'(?:src|href)="(/assets/[^"]+\.js)"', page)
    assert scripts
    assert sum(len(gzip.compress((DIST / one.lstrip("/")).read_bytes())) for one in scripts) < 100_000


def test_the_page_has_nothing_inline_that_its_policy_would_refuse() -> None:
    page = (DIST / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page) == []


def job(number: int, version: int) -> Job:
    now = now_ms()
    return Job(
        id=f"00000000-0000-4000-8000-{number:012d}",
        query=f"topic {number}",
        created_at=1_800_000_000_000 + number,
        updated_at=now,
        expires_at=now,
        version=version,
        deferred_until=now + 3_600_000 if version % 2 else None,
    )


@pytest.fixture
def storm_page(browser: Browser) -> Iterator[tuple[Page, RelayProcess]]:
    """The web app as it was built, with a list of fifty jobs and the stream of a relay that has no table."""
    types = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    listed = [job(number, 1).public_view() for number in reversed(range(JOBS))]
    answers: dict[str, Any] = {
        "/api/jobs": {
            "total": JOBS, "page": 1, "pageSize": JOBS, "totalPages": 1, "data": listed,
            "next_cursor": None, "live_cursor": str(now_ms()),
        },
        "/api/stats": {
            "counts": {"pending": JOBS, "resolved": 0, "error": 0, "cancelled": 0},
            "budget": {"limit": 50, "remaining": 50, "resets_at": None},
        },
    }  # fmt: skip

    with relay_process() as relay, closing(browser.new_context()) as context:
        answers["/config.json"] = {"apiUrl": "/api"}

        def serve(route: Route) -> None:
            path = re.sub(r"\?.*", "", route.request.url.removeprefix(relay.url))
            if path in answers:
                route.fulfill(json=answers[path])
                return
            file = DIST / ("index.html" if path == "/" else path.lstrip("/"))
            route.fulfill(body=file.read_bytes(), content_type=types[file.suffix])

        page = context.new_page()
        page.route(lambda url: not url.split("?")[0].endswith("/live"), serve)
        # the stream itself comes from the relay, at its own address
        page.route("**/api/live*", lambda route: route.continue_(url=f"{relay.url}/live"))
        page.goto(f"{relay.url}/")
        is_live(page)
        yield page, relay


class MainThread:
    """Processor seconds of the thread that runs the page and answers its keys: those that other programs take
    from it do not count, so that the figure means the same on a busy machine."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds(self) -> float:
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return next(float(one["value"]) for one in metrics if one["name"] == "ThreadTime")


def seconds_to_type_a_key(page: Page) -> float:
    topic = page.get_by_role("textbox", name="Topic")
    began = time.monotonic()
    topic.press_sequentially("still here")
    expect(topic).to_have_value("still here")
    return (time.monotonic() - began) / len("still here")


def test_500_events_a_second_on_50_jobs_leave_it_responsive(storm_page: tuple[Page, RelayProcess]) -> None:
    page, relay = storm_page
    expect(page.locator(".card[data-job]")).to_have_count(JOBS)
    page.evaluate(FRAMES)
    main_thread = MainThread(page)
    busy_before = main_thread.seconds()
    began = time.monotonic()
    events = PER_SECOND * SECONDS
    for number in range(0, events, 2):
        relay.publish(*[change_of(job(one % JOBS, 2 + one // JOBS)) for one in range(number, number + 2)])
        time.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
        if number == events // 2:
            typed = seconds_to_type_a_key(page)
    last = 2 + (events - 1) // JOBS
    versions = "all => all.map(one => Number(one.dataset.version))"
    eventually(lambda: page.locator(".card[data-job]").evaluate_all(versions) == [last] * JOBS)
    busy = main_thread.seconds() - busy_before
    gaps = sorted(page.evaluate("window.gaps"))
    p95, writes = gaps[int(len(gaps) * 0.95)], page.evaluate("window.writes")
    print(
        f"{writes} changes of the page in {len(gaps)} frames, p95 {p95:.0f} ms, longest {gaps[-1]:.0f} ms; "
        f"a key {typed * 1000:.0f} ms; a change takes {busy / writes * 1000:.1f} ms of the main thread"
    )
    assert writes <= len(gaps)  # at most one change of the page a frame, however many events
    assert busy / writes < 1 / 30  # what the page does for one change leaves room for 30 frames a second
