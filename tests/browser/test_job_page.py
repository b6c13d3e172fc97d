"""The job page."""

from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.web_app import create_jobs, expect_live, expect_text
from tests.integration.conftest import Calo


def test_it_shows_the_job_and_its_timeline_live(calo: Calo, visit: Visit) -> None:
    page = visit()
    topic = f"soup {uuid4().hex[:6]}"
    create_jobs(page, topic, delay="900")
    page.locator(".card[data-job]", has_text=topic).get_by_role("link", name=topic).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(topic)
    expect(page).to_have_title(f"{topic} · Calo")
    expect_text(page.locator(".status"), "Starts at")
    expect_text(page.locator(".timeline"), "Created")
    calo.start_now(page.url.rsplit("/", 1)[1])
    expect_text(page.locator(".status"), "Ready")
    expect(page.locator(".photo[data-state=shown] img")).to_be_visible()
    expect_text(page.locator(".timeline"), "Ready after ")
    expect_text(page.locator(".credit"), "Photo by")


def test_cancel_and_retry_appear_in_the_timeline(calo: Calo, visit: Visit) -> None:
    job_id = calo.create("bread", delay_seconds=900)["id"]
    page = visit(f"/jobs/{job_id}")
    page.get_by_role("button", name="Cancel").click()
    expect_text(page.locator(".status"), "Cancelled")
    # without the stream, which could report the end of the job in the same frame
    page.route("**/api/live*", lambda route: route.abort())
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    page.get_by_role("button", name="Try again").click()
    expect_text(page.locator(".timeline"), "Retried")
    page.unroute("**/api/live*")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect_text(page.locator(".status"), "Ready")
    steps = page.locator(".timeline span")
    assert steps.all_inner_texts()[:3] == ["Created", "Cancelled", "Retried"]
    expect_text(steps.nth(3), "Started after ")  # comes with the history
    expect_text(steps.nth(4), "Ready after ")
    before = steps.all_inner_texts()
    page.reload()
    expect(steps).to_have_text(before)


def test_cancelling_a_job_that_has_already_ended_shows_its_status(calo: Calo, visit: Visit) -> None:
    job_id = calo.create("bread", delay_seconds=900)["id"]
    page = visit(f"/jobs/{job_id}")
    expect_live(page)
    page.route("**/api/live*", lambda route: route.abort())
    page.evaluate("window.dispatchEvent(new Event('offline'))")  # cut the stream
    calo.http.delete(f"jobs/{job_id}")
    page.get_by_role("button", name="Cancel").click()
    expect_text(page.locator(".status"), "Cancelled")


def test_a_failed_job_shows_reason_code_and_attempts(calo: Calo, visit: Visit) -> None:
    job_id = calo.create("nothing")["id"]
    page = visit(f"/jobs/{job_id}")
    expect_text(page.locator(".failure"), "Unsplash has no photos for “nothing”")
    expect_text(page.locator(".failure"), calo.get(f"jobs/{job_id}").json()["error"]["code"])
    steps = page.locator(".timeline span")
    expect_text(steps.nth(1), "Started after ")
    expect_text(steps.nth(2), "Failed after ")


def test_a_long_reason_fits_on_a_small_screen(calo: Calo, visit: Visit) -> None:
    job_id = calo.create(f"nothing {'whatsoever ' * 6}")["id"]
    page = visit(f"/jobs/{job_id}", viewport={"width": 320, "height": 600})
    expect_text(page.locator(".failure"), "Unsplash has no photos for")
    frame, reason = page.locator(".frame").bounding_box(), page.locator(".failure").bounding_box()
    assert frame is not None
    assert reason is not None
    assert frame["y"] <= reason["y"]
    assert reason["y"] + reason["height"] <= frame["y"] + frame["height"]


@pytest.mark.parametrize("job_id", ["00000000-0000-4000-8000-000000000000", "12"])
def test_an_unknown_job_shows_not_found(calo: Calo, visit: Visit, job_id: str) -> None:
    page = visit(f"/jobs/{job_id}")
    expect_text(page.locator("main"), "We couldn't find this job.")
    expect(page.get_by_role("link", name="All jobs")).to_be_visible()
