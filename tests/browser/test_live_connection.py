"""The live stream over a failing network: the page shows its status and recovers."""

from uuid import uuid4

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.browser.web_app import card, expect_live, expect_text, record_requests, wait_for_requests
from tests.integration.conftest import Calo, eventually

HIDE = """hidden => {
  Object.defineProperty(document, "hidden", {get: () => hidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def has_ended(calo: Calo, job_id: str) -> bool:
    return bool(calo.get(f"jobs/{job_id}").json()["status"] != "pending")


def live_status(page: Page) -> str | None:
    return page.locator(".live").get_attribute("data-status")


def visit_with_clock(visit: Visit) -> Page:
    """Return the jobs page with an open stream. The test controls the browser's clock."""
    page = visit("/nowhere")
    page.clock.install()
    page.goto("/")
    expect_live(page)
    return page


def test_after_a_crash_of_the_relay_the_page_shows_all_changes(calo: Calo, visit: Visit) -> None:
    page = visit()
    expect_live(page)
    jobs = [calo.create("bread", delay_seconds=delay)["id"] for delay in (0, 2, 4)]
    calo.system.relay.kill()
    try:
        eventually(lambda: live_status(page) == "reconnecting")
        eventually(lambda: all(has_ended(calo, job_id) for job_id in jobs))
    finally:
        calo.system.start_relay()
    expect_live(page)
    for job_id in jobs:
        expect_text(card(page, job_id), "Ready")
    expect_text(card(page, calo.create("bread")["id"]), "Ready")  # new changes arrive too


def test_after_being_offline_the_page_shows_all_changes(calo: Calo, visit: Visit) -> None:
    page = visit()
    expect_live(page)
    # Chromium may tell the page that it is offline shortly before requests begin to fail
    page.route("**/api/**", lambda route: route.abort())
    page.context.set_offline(True)
    eventually(lambda: live_status(page) == "offline")
    job_id = calo.create("bread")["id"]
    eventually(lambda: has_ended(calo, job_id))
    expect(card(page, job_id)).to_have_count(0)
    page.unroute("**/api/**")
    page.context.set_offline(False)
    expect_live(page)
    expect_text(card(page, job_id), "Ready", 15)


def test_a_hidden_page_sends_no_requests_and_catches_up_when_visible(calo: Calo, visit: Visit) -> None:
    page = visit_with_clock(visit)
    page.clock.run_for(5_000)  # the second fetch of the counts
    page.evaluate(HIDE, True)
    page.clock.run_for(31_000)
    assert live_status(page) == "paused"
    requests = record_requests(page, "/api/")
    job_id = calo.create("bread")["id"]
    eventually(lambda: has_ended(calo, job_id))
    page.clock.run_for(10 * 60_000)
    assert requests == []
    page.evaluate(HIDE, False)
    page.clock.resume()
    expect_live(page)
    expect_text(card(page, job_id), "Ready", 15)


def test_after_the_machine_slept_the_page_reconnects(calo: Calo, visit: Visit) -> None:
    page = visit_with_clock(visit)
    streams = record_requests(page, "/live")
    page.clock.fast_forward(60_000)  # each timer runs once, late, as after sleep
    page.clock.run_for(6_000)
    wait_for_requests(page, streams, 1)
    page.clock.resume()
    expect_live(page)


def test_each_page_opens_one_stream_for_what_it_shows(calo: Calo, visit: Visit) -> None:
    job_id = calo.create("bread")["id"]
    page = visit("/nowhere")
    streams = record_requests(page, "/live")
    page.goto("/")
    expect_live(page)
    assert [url.split("?")[1].split("=")[0] for url in streams] == ["lastEventId"]
    card(page, job_id).get_by_role("link", name="bread", exact=True).click()
    wait_for_requests(page, streams, 2)
    assert streams[1].endswith(f"/live?job={job_id}")


def test_resync_fetches_the_list_again(calo: Calo, visit: Visit) -> None:
    page = visit("/nowhere")

    def respond_with_old_cursor(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, json={**response.json(), "live_cursor": "1"})

    page.route("**/api/jobs?*", respond_with_old_cursor)
    lists = record_requests(page, "/api/jobs?")
    page.goto("/")
    expect_live(page)
    wait_for_requests(page, lists, 2)
    assert len(lists) == 2
    topic = f"tea {uuid4().hex[:6]}"
    calo.create(topic)
    expect_text(page.locator(".card[data-job]", has_text=topic), "Ready")
