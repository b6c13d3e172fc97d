"""Helpers for tests that use the web app."""

import time

from playwright.sync_api import Locator, Page, Request, expect

SECONDS = 1000
NO_RETRY = "Math.random = () => 1000"
"""A script for a page that shall only try again when asked to: it waits a thousand times the longest time."""


def card(page: Page, job_id: str) -> Locator:
    """Return a job's card in the grid, or its frame on the job page."""
    return page.locator(f"[data-job='{job_id}']")


def expect_live(page: Page, seconds: float = 60) -> None:
    """Wait until the live indicator shows that the stream is open."""
    expect(page.locator(".live")).to_have_attribute("data-status", "live", timeout=seconds * SECONDS)


def expect_text(locator: Locator, text: str, seconds: float = 60) -> None:
    """Wait until the element contains the text."""
    expect(locator).to_contain_text(text, timeout=seconds * SECONDS)


def create_jobs(page: Page, query: str, *, count: str = "1", delay: str = "0") -> None:
    """Fill in the form and send it."""
    page.get_by_role("textbox", name="Topic").fill(query)
    page.get_by_label("How many").select_option(count)
    page.get_by_label("When").select_option(delay)
    label = "Get photo" if count == "1" else f"Get {count} photos"
    page.get_by_role("button", name=label).click()


def job_ids(page: Page) -> list[str]:
    """Return the ids of the jobs in the grid, in order."""
    cards = page.locator(".card[data-job]")
    ids: list[str] = cards.evaluate_all("cards => cards.map(card => card.dataset.job)")
    return ids


def record_requests(page: Page, text: str) -> list[str]:
    """Return a list that grows with the URLs of the page's future requests that contain the text."""
    urls: list[str] = []

    def record(request: Request) -> None:
        if text in request.url:
            urls.append(request.url)

    page.on("request", record)
    return urls


def wait_for_requests(page: Page, urls: list[str], count: int) -> None:
    """Wait for `count` recorded requests. Playwright reports requests only while one of its methods runs."""
    deadline = time.monotonic() + 60
    while len(urls) < count:
        assert time.monotonic() < deadline, urls
        page.wait_for_timeout(50)
