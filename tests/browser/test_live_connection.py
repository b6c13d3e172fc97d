"""The live stream over a network that fails: the page says what it knows, and ends right."""

from uuid import uuid4

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.browser.web_app import card, is_live, requests_for, says, wait_until_asked
from tests.integration.conftest import Calo, eventually

HIDE = """hidden => {
  Object.defineProperty(document, "hidden", {get: () => hidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def ended(calo: Calo, job_id: str) -> bool:
    return bool(calo.get(f"jobs/{job_id}").json()["status"] != "pending")


def status(page: Page) -> str | None:
    return page.locator(".live").get_attribute("data-status")


def visit_with_clock(visit: Visit) -> Page:
    """The jobs page, live, in a browser whose clock the test turns."""
    page = visit("/nowhere")
    page.clock.install()
    page.goto("/")
    is_live(page)
    return page


def test_the_relay_is_killed_while_jobs_run_and_the_page_ends_right(calo: Calo, visit: Visit) -> None:
    page = visit()
    is_live(page)
    jobs = [calo.create("bread", delay_seconds=delay)["id"] for delay in (0, 2, 4)]
    calo.system.relay.kill()
    try:
        eventually(lambda: status(page) == "reconnecting")
        eventually(lambda: all(ended(calo, job_id) for job_id in jobs))
    finally:
        calo.system.start_relay()
    is_live(page)
    for job_id in jobs:
        says(card(page, job_id), "Ready")
    says(card(page, calo.create("bread")["id"]), "Ready")  # and it goes on


def test_offline_and_back(calo: Calo, visit: Visit) -> None:
    page = visit()
    is_live(page)
    page.context.set_offline(True)
    eventually(lambda: status(page) == "offline")
    job_id = calo.create("bread")["id"]
    eventually(lambda: ended(calo, job_id))
    expect(card(page, job_id)).to_have_count(0)
    page.context.set_offline(False)
    is_live(page)
    says(card(page, job_id), "Ready", 15)


def test_a_hidden_page_asks_for_nothing_and_is_right_when_it_is_seen_again(calo: Calo, visit: Visit) -> None:
    page = visit_with_clock(visit)
    page.clock.run_for(5_000)  # counts are fetched once more
    page.evaluate(HIDE, True)
    page.clock.run_for(31_000)
    assert status(page) == "paused"
    asked = requests_for(page, "/api/")
    job_id = calo.create("bread")["id"]
    eventually(lambda: ended(calo, job_id))
    page.clock.run_for(10 * 60_000)
    assert asked == []
    page.evaluate(HIDE, False)
    page.clock.resume()
    is_live(page)
    says(card(page, job_id), "Ready", 15)


def test_after_the_machine_slept_it_connects_anew(calo: Calo, visit: Visit) -> None:
    page = visit_with_clock(visit)
    streams = requests_for(page, "/live")
    page.clock.fast_forward(60_000)  # timers that are due go off once, late, as after sleep
    page.clock.run_for(6_000)
    wait_until_asked(page, streams, 1)
    page.clock.resume()
    is_live(page)


def test_one_stream_serves_what_is_on_the_screen(calo: Calo, visit: Visit) -> None:
    job_id = calo.create("bread")["id"]
    page = visit("/nowhere")
    streams = requests_for(page, "/live")
    page.goto("/")
    is_live(page)
    assert [url.split("?")[1].split("=")[0] for url in streams] == ["lastEventId"]
    card(page, job_id).get_by_role("link", name="bread", exact=True).click()
    wait_until_asked(page, streams, 2)
    assert streams[1].endswith(f"/live?job={job_id}")


def test_resync_fetches_the_list_again(calo: Calo, visit: Visit) -> None:
    page = visit("/nowhere")

    def with_old_cursor(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "live_cursor": "1"})

    page.route("**/api/jobs?*", with_old_cursor)
    lists = requests_for(page, "/api/jobs?")
    page.goto("/")
    is_live(page)
    wait_until_asked(page, lists, 2)
    assert len(lists) == 2
    topic = f"tea {uuid4().hex[:6]}"
    calo.create(topic)
    says(page.locator(".card[data-job]", has_text=topic), "Ready")
