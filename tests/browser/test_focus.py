"""The focus stays where the user works, is visible, and outcomes are announced."""

import io
from collections.abc import Iterator
from uuid import uuid4

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Visit
from tests.browser.web_app import card, expect_live, expect_text
from tests.integration.conftest import Calo

ANNOUNCED = "[aria-live=polite].visually-hidden"


@pytest.fixture
def waiting(calo: Calo) -> Iterator[list[str]]:
    """Yield the ids of three delayed jobs with different topics, newest first."""
    ids = [calo.create(f"soup {uuid4().hex[:6]}", delay_seconds=900)["id"] for _ in range(3)]
    yield ids[::-1]
    for job_id in ids:
        calo.http.delete(f"jobs/{job_id}")


def button(page: Page, job_id: str, name: str) -> Locator:
    return card(page, job_id).get_by_role("button", name=name)


def test_cancel_and_retry_keep_the_focus_and_are_announced(visit: Visit, waiting: list[str]) -> None:
    page = visit()
    expect_live(page)
    topic = card(page, waiting[0]).locator("h2").inner_text()
    button(page, waiting[0], "Cancel").focus()
    page.keyboard.press("Enter")
    expect(button(page, waiting[0], "Try again")).to_be_focused()
    expect_text(page.locator(ANNOUNCED), f"Photo of {topic} was cancelled")
    page.keyboard.press("Enter")
    # the button disappears when the photo is there
    expect(card(page, waiting[0]).get_by_role("link", name=topic, exact=True)).to_be_focused()
    expect_text(page.locator(ANNOUNCED), f"Photo of {topic} is ready")


def test_a_request_in_progress_keeps_the_focus_and_is_sent_once(visit: Visit, waiting: list[str]) -> None:
    page = visit(f"/jobs/{waiting[0]}")
    expect_live(page)
    requests: list[Route] = []
    page.route(
        f"**/api/jobs/{waiting[0]}",
        lambda route: requests.append(route) if route.request.method == "DELETE" else route.fallback(),
    )
    cancel = page.get_by_role("button", name="Cancel")
    cancel.focus()
    for _ in range(3):
        page.keyboard.press("Enter")
    expect(cancel).to_have_attribute("aria-disabled", "true")
    expect(cancel).to_be_focused()
    assert len(requests) == 1
    requests[0].continue_()
    expect(page.get_by_role("button", name="Try again")).to_be_focused()


def test_a_card_that_leaves_the_filter_passes_the_focus_on(visit: Visit, waiting: list[str]) -> None:
    page = visit("/?status=pending")
    expect_live(page)
    button(page, waiting[1], "Cancel").focus()
    page.keyboard.press("Enter")
    expect(card(page, waiting[1])).to_have_count(0)
    expect(card(page, waiting[2]).locator("h2 a")).to_be_focused()


def test_the_last_card_of_a_filter_passes_the_focus_to_the_content(visit: Visit, waiting: list[str]) -> None:
    page = visit("/nowhere")

    def keep_one(route: Route) -> None:
        response = route.fetch()
        page_of_jobs = response.json()
        jobs = [job for job in page_of_jobs["data"] if job["id"] == waiting[0] and job["status"] == "pending"]
        route.fulfill(response=response, json={**page_of_jobs, "data": jobs, "next_cursor": None})

    page.route("**/api/jobs?*", keep_one)
    page.route("**/api/live*", lambda route: route.abort())  # it would bring the other jobs
    page.goto("/?status=pending")
    button(page, waiting[0], "Cancel").focus()
    page.keyboard.press("Enter")
    expect_text(page.locator(".empty-state"), "No pending jobs")
    expect(page.locator("main")).to_be_focused()


def test_discarding_a_job_that_was_not_sent_passes_the_focus_on(visit: Visit, waiting: list[str]) -> None:
    page = visit()
    expect_live(page)
    page.route("**/api/jobs", lambda route: route.fulfill(status=400, json={"detail": "no"}))
    page.get_by_label("Topic").fill("cake")
    page.keyboard.press("Enter")
    discard = page.get_by_role("button", name="Discard")
    discard.focus()
    page.keyboard.press("Enter")
    expect(discard).to_have_count(0)
    expect(card(page, waiting[0]).locator("h2 a")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_focus_of_the_image_on_the_job_page_is_visible(calo: Calo, visit: Visit, scheme: str) -> None:
    job_id = calo.create("bread")["id"]
    page = visit(f"/jobs/{job_id}", color_scheme=scheme, reduced_motion="reduce")
    expect(page.locator(".photo[data-state=shown] img")).to_be_visible()
    link = page.get_by_role("link", name="Open the photo of bread")
    page.locator(".back").focus()
    before = screenshot(page)
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    # more than the ring around "All jobs", which is gone now
    difference = (
        ImageChops.difference(before, screenshot(page)).convert("L").point(lambda value: 255 * (value > 40))
    )
    box = page.locator(".frame").bounding_box()
    assert box is not None
    changed = sum(difference.histogram()[1:])
    assert changed > 2 * (box["width"] + box["height"])  # pixels: the outline of the frame


def screenshot(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


@pytest.mark.parametrize("path", ["/?status=pending", "/?status=error", "/?status=resolved", "/?page=2"])
def test_asking_inside_a_filter_shows_the_job_and_keeps_the_focus(
    calo: Calo, visit: Visit, waiting: list[str], path: str
) -> None:
    page = visit(path)
    expect_live(page)
    topics = [f"tea {uuid4().hex[:6]}" for _ in range(2)]
    page.get_by_label("Topic").click()
    for topic in topics:
        page.keyboard.type(topic)
        page.keyboard.press("Enter")
    expect(page.get_by_label("Topic")).to_be_focused()
    for topic in topics:
        expect_text(page.locator(".card[data-job]", has_text=topic), "Ready")
    expect(page).to_have_url(f"{calo.system.url}/")
