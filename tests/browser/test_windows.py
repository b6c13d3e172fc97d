"""Several windows of one browser share one live stream: HTTP/1.1 allows six connections to a host."""

import re
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route
from prometheus_client.parser import text_string_to_metric_families

from tests.browser.test_live_connection import HIDE
from tests.browser.web_app import card, expect_live, expect_text
from tests.integration.conftest import Calo, eventually

WITHOUT_LOCKS = "delete Navigator.prototype.locks"
WITHOUT_CHANNELS = "delete globalThis.BroadcastChannel"

OpenWindow = Callable[[str], Page]


@pytest.fixture
def context(browser: Browser, calo: Calo) -> Iterator[BrowserContext]:
    """Yield one browser context: its pages are windows of the same browser."""
    context = browser.new_context(base_url=calo.system.url)
    context.set_default_timeout(60_000)
    yield context
    context.close()
    eventually(lambda: open_streams(calo) == 0)  # so that the next test counts only its own


@pytest.fixture
def open_window(context: BrowserContext) -> OpenWindow:
    def open_path(path: str = "/") -> Page:
        page = context.new_page()
        page.goto(path)
        return page

    return open_path


def open_streams(calo: Calo) -> int:
    """Return the number of streams that the relay serves."""
    families = text_string_to_metric_families(
        httpx.get(f"http://127.0.0.1:{calo.system._relay_port}/metrics").text
    )
    return int(
        next(
            sample.value for family in families for sample in family.samples if sample.name == "relay_streams"
        )
    )


def test_eight_windows_are_live_within_two_seconds_each(calo: Calo, open_window: OpenWindow) -> None:
    jobs = [calo.create("soup", delay_seconds=900)["id"] for _ in range(4)]
    calo.get("jobs")  # the time that the emulator needs to start the function does not count
    windows = []
    for job_id in jobs:
        for path in ("/", f"/jobs/{job_id}"):
            start = time.monotonic()
            windows.append(open_window(path))
            expect_live(windows[-1], 2)
            print(f"{path[:6]} live after {time.monotonic() - start:.2f} s")
    assert open_streams(calo) == 1
    for job_id in jobs:
        calo.start_now(job_id)
    for page in windows[::2]:
        for job_id in jobs:
            expect_text(card(page, job_id), "Ready")
    for page in windows[1::2]:
        expect_text(page.locator(".status"), "Ready")
    assert open_streams(calo) == 1


def test_eight_windows_that_open_at_the_same_time_are_live(calo: Calo, context: BrowserContext) -> None:
    job_id = calo.create("bread")["id"]
    windows = [context.new_page() for _ in range(8)]
    for number, page in enumerate(windows):
        page.evaluate(
            "path => { location.href = path }", f"{calo.system.url}{('/', f'/jobs/{job_id}')[number % 2]}"
        )
    for page in windows:
        expect_live(page)
    eventually(lambda: open_streams(calo) == 1)


@pytest.mark.parametrize("how", ["closed", "hidden"])
def test_another_window_takes_over_and_no_change_is_lost(
    calo: Calo, open_window: OpenWindow, how: str
) -> None:
    job_id = calo.create("soup", delay_seconds=900)["id"]
    holder, job_page, list_page = (open_window(path) for path in ("/", f"/jobs/{job_id}", "/"))
    for page in (holder, job_page, list_page):
        expect_live(page)
    if how == "closed":
        holder.close()
    else:
        holder.evaluate(HIDE, True)
    ended = calo.create("bread")["id"]  # while the stream changes hands
    calo.start_now(job_id)
    expect_text(card(list_page, ended), "Ready", 5)
    expect_text(job_page.locator(".status"), "Ready", 5)
    for page in (job_page, list_page):
        expect_live(page, 2)
    eventually(lambda: open_streams(calo) == 1)


def test_windows_with_job_pages_only_share_the_stream_of_their_jobs(
    calo: Calo, context: BrowserContext, open_window: OpenWindow
) -> None:
    urls: list[str] = []
    context.on("request", lambda request: urls.append(request.url) if "/api/live" in request.url else None)
    jobs = sorted(calo.create("soup", delay_seconds=900)["id"] for _ in range(3))
    windows = [open_window(f"/jobs/{job_id}") for job_id in jobs]
    for page in windows:
        expect_live(page)
    # the title is only read so that Playwright reports the requests
    eventually(lambda: windows[0].title() and urls[-1].endswith(f"?job={','.join(jobs)}"))
    eventually(lambda: open_streams(calo) == 1)
    for job_id, page in zip(jobs, windows, strict=True):
        calo.start_now(job_id)
        expect_text(page.locator(".status"), "Ready")


@pytest.mark.parametrize("script", [WITHOUT_LOCKS, WITHOUT_CHANNELS])
def test_without_the_browsers_support_each_window_has_its_own_stream(
    calo: Calo, context: BrowserContext, open_window: OpenWindow, script: str
) -> None:
    context.add_init_script(script)
    windows = [open_window("/"), open_window("/")]
    for page in windows:
        expect_live(page)
    assert open_streams(calo) == 2
    page.unroute_all(behavior="wait")  # a file that is still being served would be lost with its page
    job_id = calo.create("bread")["id"]
    for page in windows:
        expect_text(card(page, job_id), "Ready")


def test_windows_with_different_versions_of_the_app_do_not_share_a_stream(
    calo: Calo, context: BrowserContext, open_window: OpenWindow
) -> None:
    expect_live(open_window("/"))

    def serve_other_version(route: Route) -> None:
        """Give the app's main file another name, in the page and in the files that import it."""
        response = route.fetch()
        route.fulfill(response=response, body=re.sub(r"(index-[\w-]+\.js)", r"\1?other", response.text()))

    page = context.new_page()
    page.route(f"{calo.system.url}/", serve_other_version)
    page.route("**/assets/*.js*", serve_other_version)
    page.goto("/")
    expect_live(page)
    assert open_streams(calo) == 2
    page.unroute_all(behavior="wait")  # a file that is still being served would be lost with its page
