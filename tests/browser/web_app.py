"""The web app as its tests see it."""

import time

from playwright.sync_api import Locator, Page, Request, expect

SECONDS = 1000


def card(page: Page, job_id: str) -> Locator:
    """A job's card in the grid, or its frame on its own page."""
    return page.locator(f"[data-job='{job_id}']")


def is_live(page: Page, seconds: float = 60) -> None:
    """Wait until the indicator says so."""
    expect(page.locator(".live")).to_have_attribute("data-status", "live", timeout=seconds * SECONDS)


def says(locator: Locator, text: str, seconds: float = 60) -> None:
    """Wait until it reads so."""
    expect(locator).to_contain_text(text, timeout=seconds * SECONDS)


def ask(page: Page, query: str, *, count: str = "1", delay: str = "0") -> None:
    """Fill in the form and send it."""
    page.get_by_role("textbox", name="Topic").fill(query)
    page.get_by_label("How many").select_option(count)
    page.get_by_label("When").select_option(delay)
    page.get_by_role("button", name="Ask").click()


def shown_jobs(page: Page) -> list[str]:
    """Ids of the jobs in the grid, in order."""
    ids: list[str] = page.locator(".card[data-job]").evaluate_all("all => all.map(one => one.dataset.job)")
    return ids


def requests_for(page: Page, part: str) -> list[str]:
    """Addresses with this part in them that the page asks for from now on; the list grows."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if part in request.url:
            asked.append(request.url)

    page.on("request", note)
    return asked


def wait_until_asked(page: Page, asked: list[str], count: int) -> None:
    """Until there are so many requests. Playwright tells of them only while it is called."""
    deadline = time.monotonic() + 60
    while len(asked) < count:
        assert time.monotonic() < deadline, asked
        page.wait_for_timeout(50)
