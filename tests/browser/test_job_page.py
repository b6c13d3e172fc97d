"""The page of one job."""

from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.web_app import ask, is_live, says
from tests.integration.conftest import Calo


def test_it_shows_the_job_live_with_its_way(calo: Calo, visit: Visit) -> None:
    page = visit()
    topic = f"soup {uuid4().hex[:6]}"
    ask(page, topic, delay="900")
    page.locator(".card[data-job]", has_text=topic).get_by_role("link", name=topic).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(topic)
    expect(page).to_have_title(f"{topic} · Calo")
    says(page.locator(".status"), "Starts at")
    says(page.locator(".timeline"), "Created")
    calo.start_now(page.url.rsplit("/", 1)[1])
    says(page.locator(".status"), "Ready")
    expect(page.locator(".photo[data-state=shown] img")).to_be_visible()
    says(page.locator(".timeline"), "after it was created")
    says(page.locator(".credit"), "Photo by")


def test_it_cancels_and_retries_and_tells_both(calo: Calo, visit: Visit) -> None:
    job_id = calo.create("bread", delay_seconds=900)["id"]
    page = visit(f"/jobs/{job_id}")
    page.get_by_role("button", name="Cancel").click()
    says(page.locator(".status"), "Cancelled")
    # by the answer alone: the stream may tell of the job's end in the same frame
    page.route("**/api/live*", lambda route: route.abort())
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    page.get_by_role("button", name="Try again").click()
    says(page.locator(".timeline"), "Queued again")
    page.unroute("**/api/live*")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    says(page.locator(".status"), "Ready")
    steps = page.locator(".timeline span").all_inner_texts()
    assert steps[:3] == ["Created", "Cancelled", "Queued again"]
    assert steps[-1].startswith("Ready, ")


def test_cancelling_a_job_that_has_ended_meanwhile_shows_how_it_ended(calo: Calo, visit: Visit) -> None:
    job_id = calo.create("bread", delay_seconds=900)["id"]
    page = visit(f"/jobs/{job_id}")
    is_live(page)
    page.route("**/api/live*", lambda route: route.abort())
    page.evaluate("window.dispatchEvent(new Event('offline'))")  # the stream is cut; nothing comes by it
    calo.http.delete(f"jobs/{job_id}")
    page.get_by_role("button", name="Cancel").click()
    says(page.locator(".status"), "Cancelled")


def test_a_failure_tells_reason_code_and_attempts(calo: Calo, visit: Visit) -> None:
    job_id = calo.create("nothing")["id"]
    page = visit(f"/jobs/{job_id}")
    says(page.locator(".failure"), "Unsplash has no photos for “nothing”")
    says(page.locator(".failure"), calo.get(f"jobs/{job_id}").json()["error"]["code"])
    says(page.locator(".timeline"), "Tried once")


def test_a_long_reason_fits_on_a_small_screen(calo: Calo, visit: Visit) -> None:
    job_id = calo.create(f"nothing {'whatsoever ' * 6}")["id"]
    page = visit(f"/jobs/{job_id}", viewport={"width": 320, "height": 600})
    says(page.locator(".failure"), "Unsplash has no photos for")
    frame, reason = page.locator(".frame").bounding_box(), page.locator(".failure").bounding_box()
    assert frame is not None
    assert reason is not None
    assert frame["y"] <= reason["y"]
    assert reason["y"] + reason["height"] <= frame["y"] + frame["height"]


@pytest.mark.parametrize("job_id", ["00000000-0000-4000-8000-000000000000", "12"])
def test_an_unknown_job_is_not_found(calo: Calo, visit: Visit, job_id: str) -> None:
    page = visit(f"/jobs/{job_id}")
    says(page.locator("main"), "There is no such job.")
    expect(page.get_by_role("link", name="All jobs")).to_be_visible()
