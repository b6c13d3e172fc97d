"""A page that cannot reach the API or the relay says so, and recovers automatically."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.web_app import NO_RETRY, card, expect_live, expect_text, record_requests
from tests.integration.conftest import Calo

RECOVERY_MS = 10_000
"""Requests are repeated at most this long after the last failure."""


def expect_complete(page: Page) -> None:
    """Wait until the page has everything: list, counts, budget and stream."""
    expect(page.locator(".card[data-job]").first).to_be_visible()
    expect(page.locator(".filter .count").first).to_have_text(re.compile(r"^[\d,]+$"), timeout=3_000)
    expect(page.locator(".budget p")).to_have_text(re.compile("requests left"), timeout=3_000)
    expect_live(page, 3)
    expect(page.locator(".problem")).to_have_count(0)


@pytest.mark.parametrize("pattern", ["**/api/**", "**/config.json", "**/{api/**,config.json}"])
@pytest.mark.parametrize("how", ["refused", "bad gateway"])
def test_what_was_down_at_the_first_load_recovers_together(
    calo: Calo, visit: Visit, pattern: str, how: str
) -> None:
    calo.create("bread")
    page = visit("/nowhere")
    page.add_init_script("Math.random = () => 0.5")
    page.clock.install()

    def fail(route: Any) -> None:
        if how == "refused":
            route.abort("connectionrefused")
        else:
            route.fulfill(status=502, body="<html>")

    page.route(pattern, fail)
    lists = record_requests(page, "/api/jobs")
    page.goto("/")
    if "config" in pattern:
        expect_text(page.locator("main"), "Calo couldn't load its settings")
    else:
        expect_text(page.locator(".problem"), "The server cannot be reached.")
        while len(lists) < 6:  # more than any fixed number of attempts
            page.clock.fast_forward(RECOVERY_MS)
            page.wait_for_timeout(50)
    page.unroute(pattern)
    page.clock.fast_forward(RECOVERY_MS)
    expect_complete(page)


def test_try_again_tries_everything_immediately(calo: Calo, visit: Visit) -> None:
    calo.create("bread")
    page = visit("/nowhere")
    page.add_init_script(NO_RETRY)
    page.route("**/api/**", lambda route: route.abort("connectionrefused"))
    page.goto("/")
    expect_text(page.locator(".problem"), "The server cannot be reached.")
    page.unroute("**/api/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".card[data-job]").first).to_be_visible(timeout=3_000)
    expect_complete(page)


def test_without_the_relay_the_page_says_so_and_still_shows_how_jobs_end(calo: Calo, visit: Visit) -> None:
    job_id = calo.create("soup", delay_seconds=900)["id"]
    job_page, list_page = visit(f"/jobs/{job_id}"), visit()
    for page in (job_page, list_page):
        expect_live(page)
        expect(page.locator(".stale-notice p")).to_have_count(0)
    calo.system.relay.kill()
    try:
        for page in (job_page, list_page):
            notice = page.get_by_text("Connection lost. This may be out of date; reconnecting…")
            expect(notice).to_be_visible()
        calo.start_now(job_id)
        expect_text(job_page.locator(".status"), "Ready", 30)
        expect(job_page.get_by_role("button", name="Cancel")).to_have_count(0)
        expect_text(card(list_page, job_id), "Ready", 30)
        expect(list_page.locator(".live")).to_have_attribute("data-status", "reconnecting")
    finally:
        calo.system.start_relay()
    for page in (job_page, list_page):
        expect_live(page)
        expect(page.locator(".stale-notice p")).to_have_count(0)
