"""New jobs do not move the cards that someone looks at."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, Visit
from tests.browser.web_app import card, create_jobs, expect_live, expect_text, job_ids
from tests.integration.conftest import Calo, eventually


@pytest.fixture(autouse=True)
def full_page(calo: Calo) -> None:
    """Fill the first page of the list, so that each new job pushes a card to the next page."""
    for _ in range(24 - len(calo.get("jobs", pageSize=24).json()["data"])):
        calo.create("bread")


def new_jobs(page: Page, count: int) -> Locator:
    return page.get_by_role("button", name=f"{count} new job{'s' * (count > 1)}", exact=True)


def box_of(page: Page, job_id: str) -> object:
    return card(page, job_id).bounding_box()


def settled_boxes(page: Page, jobs: list[str]) -> list[object]:
    """Wait until the cards have their final size: their jobs may still end, and pictures and views arrive."""
    for job_id in jobs:
        expect(card(page, job_id).locator("[data-status=pending]")).to_have_count(0)
    before: list[object] = []
    while (boxes := [box_of(page, job_id) for job_id in jobs]) != before:
        before = boxes
        page.wait_for_timeout(500)
    return boxes


def is_in_viewport(page: Page, job_id: str) -> bool:
    box, size = card(page, job_id).bounding_box(), page.viewport_size
    return bool(box and size and -box["height"] < box["y"] < size["height"])


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 860}, PHONE], ids=["desktop", "phone"])
def test_once_scrolled_new_jobs_wait_behind_a_button(
    calo: Calo, visit: Visit, viewport: dict[str, int]
) -> None:
    page = visit(viewport=viewport)
    expect_live(page)
    shown = job_ids(page)
    page.evaluate("scrollTo(0, 900)")
    page.mouse.move(0, 0)
    looked_at = [job_id for job_id in shown if is_in_viewport(page, job_id)]
    assert looked_at
    boxes = settled_boxes(page, looked_at)
    added = [calo.create("bread")["id"] for _ in range(3)]
    expect(new_jobs(page, 3)).to_be_in_viewport()
    assert job_ids(page) == shown
    assert [box_of(page, job_id) for job_id in looked_at] == boxes
    new_jobs(page, 3).click()
    eventually(lambda: job_ids(page)[:3] == added[::-1])
    assert page.evaluate("scrollY") == 0
    assert len(job_ids(page)) == 24
    expect(card(page, added[2]).locator("h2 a")).to_be_focused()
    expect(page.locator(".arrivals button")).to_have_count(0)


def test_while_a_card_is_pointed_at_no_card_moves(calo: Calo, visit: Visit) -> None:
    waiting = calo.create("soup", delay_seconds=900)["id"]
    page = visit()
    expect_live(page)
    cancel = card(page, waiting).get_by_role("button", name="Cancel")
    cancel.hover()
    box = box_of(page, waiting)
    added = calo.create("bread")["id"]
    expect(new_jobs(page, 1)).to_be_visible()
    assert box_of(page, waiting) == box
    calo.http.delete(f"jobs/{waiting}")  # shown jobs still change
    expect_text(card(page, waiting), "Cancelled")
    page.mouse.move(5, 5)
    expect(card(page, added)).to_be_visible()
    assert job_ids(page)[0] == added


def test_a_job_that_was_requested_here_is_shown_immediately(calo: Calo, visit: Visit) -> None:
    page = visit()
    expect_live(page)
    card(page, job_ids(page)[0]).hover()
    other = calo.create("bread")["id"]
    expect(new_jobs(page, 1)).to_be_visible()
    page.get_by_label("Topic").focus()
    page.keyboard.type("my tea")
    page.keyboard.press("Enter")
    expect_text(page.locator(".card[data-job]", has_text="my tea").first, "Ready")
    expect(card(page, other)).to_have_count(0)


def test_at_the_top_new_jobs_appear_immediately(calo: Calo, visit: Visit) -> None:
    page = visit()
    expect_live(page)
    create_jobs(page, "bread", count="3")
    added = calo.create("bread")["id"]
    expect(card(page, added)).to_be_visible()
    expect(page.locator(".arrivals button")).to_have_count(0)
