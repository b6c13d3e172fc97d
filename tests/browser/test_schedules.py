"""The page of schedules, and jobs that start at a date and time."""

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, Route, expect

from functions.common.schedule import Schedule
from tests.browser.conftest import Visit
from tests.browser.test_looks import violations
from tests.browser.web_app import NO_RETRY, create_jobs
from tests.integration.conftest import Calo

BERLIN = "Europe/Berlin"
NARROW = {"width": 320, "height": 640}


def fits(page: Page) -> bool:
    """Return whether nothing is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_a_schedule_is_created_paused_resumed_and_deleted_with_the_keyboard(visit: Visit, calo: Calo) -> None:
    page = visit(timezone_id=BERLIN, viewport=NARROW)
    page.get_by_role("link", name="Schedules").press("Enter")
    expect(page.get_by_role("heading", name="No schedules yet")).to_be_visible()
    assert (violations(page), fits(page)) == ([], True)
    page.get_by_label("Kind of job").select_option("countdown")
    page.get_by_label("When").select_option("Monday to Friday at 9:00")
    expect(page.get_by_label("Time zone")).to_have_value(BERLIN)
    page.get_by_role("button", name="Create schedule").press("Enter")
    card = page.locator(".schedule")
    expect(card).to_contain_text("Monday to Friday at 9:00")
    [schedule] = calo.get("schedules").json()["data"]
    assert (schedule["kind"], schedule["cron"], schedule["timezone"]) == ("countdown", "0 9 * * 1-5", BERLIN)
    card.locator("summary").press("Enter")
    expect(card.locator("ol li")).to_have_count(10)
    assert (violations(page), fits(page)) == ([], True)

    card.get_by_role("button", name="Pause").press("Enter")
    expect(card.get_by_text("Paused", exact=True)).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="paused")).to_have_count(1)
    assert calo.get(f"schedules/{schedule['id']}").json()["paused"]
    resume = card.get_by_role("button", name="Resume")
    expect(resume).to_be_focused()
    resume.press("Enter")
    expect(card.get_by_text("Next:")).to_be_visible()

    card.get_by_role("button", name="Delete").press("Enter")
    keep = card.get_by_role("button", name="Keep")
    expect(keep).to_be_focused()
    assert violations(page) == []
    keep.press("Enter")
    expect(card.get_by_role("button", name="Delete")).to_be_focused()
    card.get_by_role("button", name="Delete").press("Enter")
    card.get_by_role("button", name="Yes, delete").press("Enter")
    expect(page.get_by_role("heading", name="No schedules yet")).to_be_visible()
    expect(page.locator("body")).not_to_be_focused()
    assert calo.get("schedules").json()["data"] == []


def test_the_page_shows_refusals_the_limit_and_why_a_schedule_is_paused(visit: Visit) -> None:
    page = visit("/schedules")
    page.get_by_label("When").select_option("Other times…")
    page.get_by_label("Cron expression").fill("61 9 * * *")
    page.get_by_role("button", name="Create schedule").click()
    expect(page.get_by_role("alert")).to_contain_text("invalid minute")
    expect(page.get_by_label("Cron expression")).to_have_attribute("aria-invalid", "true")
    assert violations(page) == []

    paused = Schedule(
        id="00000000-0000-4000-8000-000000000001",
        owner="public",
        kind="retired",
        input={},
        cron="1,2 9 * * *",
        timezone="UTC",
        created_at=1,
        updated_at=1,
        caller="",
        paused=True,
        pause_reason="there are no jobs of kind retired any more",
    )
    views = [{**paused.public_view([]), "id": f"{paused.id[:-3]}{number:03d}"} for number in range(100)]

    def answer(route: Route) -> None:
        route.fulfill(content_type="application/json", body=json.dumps({"data": views}))

    page.route("**/api/schedules", answer)
    page.reload()
    expect(page.get_by_text("You have 100 schedules")).to_be_visible()
    expect(page.get_by_role("button", name="Create schedule")).to_have_count(0)
    expect(page.locator(".schedule").first).to_contain_text(
        "Paused: there are no jobs of kind retired any more"
    )
    expect(page.locator(".schedule code").first).to_have_text("1,2 9 * * *")
    page.unroute("**/api/schedules")
    page.route("**/api/schedules", lambda route: route.abort())
    page.add_init_script(NO_RETRY)
    page.reload()
    expect(page.get_by_role("alert")).to_be_visible()
    page.unroute("**/api/schedules")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="No schedules yet")).to_be_visible()


def test_a_job_starts_at_a_date_and_time_of_the_browsers_zone(visit: Visit, calo: Calo) -> None:
    page = visit(timezone_id="Asia/Tokyo", viewport=NARROW)
    page.get_by_label("When").select_option("at a time…")
    start = page.get_by_label("Start at")
    expect(page.get_by_text("in your time zone (Asia/Tokyo)")).to_be_visible()
    assert (violations(page), fits(page)) == ([], True)
    wanted = datetime.now(ZoneInfo("Asia/Tokyo")).replace(second=0, microsecond=0) + timedelta(days=20)
    topic = page.get_by_role("textbox", name="Topic")
    topic.fill("far away")
    for days, is_valid in ((-1, False), (31, False), (20, True)):
        start.fill((wanted + timedelta(days=days - 20)).strftime("%Y-%m-%dT%H:%M"))
        assert start.evaluate("input => input.checkValidity()") is is_valid
    topic.press("Enter")
    expect(page.locator(".card").first).to_contain_text("far away")
    expect(start).to_have_count(0)
    expect(page.locator(".card[data-job]", has_text="far away")).to_be_visible()
    [job] = [job for job in calo.get("jobs").json()["data"] if job.get("query") == "far away"]
    assert abs(job["starts_at"] - wanted.timestamp() * 1000) < 5000
    create_jobs(page, "now")  # the next job is not delayed
