"""The operations page, changes of many jobs, and finding jobs: by filters, by id and by scrolling."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from functions.common.clock import now_ms
from tests.browser.conftest import DESKTOP, Visit
from tests.browser.offline import DEFAULTS, serve_app
from tests.browser.test_looks import violations
from tests.browser.web_app import card, expect_live, expect_text, job_ids, record_requests, wait_for_requests
from tests.integration.conftest import Calo, eventually

ORIGIN = "https://calo.test"
"""Only a secure page may make random keys."""
NOW = now_ms() // 60_000 * 60_000
NONE = {"pending": 0, "resolved": 0, "error": 0, "cancelled": 0}
MANY = {"pending": 1_234_567, "resolved": 98_765_432, "error": 45_678, "cancelled": 9}
CODE = "a_long_code_that_says_exactly_what_went_wrong"
SIZES = [(320, "dark", "100%"), (1280, "light", "100%"), (1280, "light", "200%")]
PAGE_SIZE = 24


def minute(at: int, jobs: int) -> dict[str, Any]:
    age = 100 * jobs or None
    return {
        "at": at, "created": jobs, "resolved": jobs, "failed": jobs // 9,
        "age_p50_ms": age, "age_p95_ms": age,
    }  # fmt: skip


def stats(counts: dict[str, int], jobs: int, **values: Any) -> dict[str, Any]:
    """Return stats of which each of the last minutes has about this number of jobs."""
    return {
        **DEFAULTS["/api/stats"],
        "counts": counts,
        "minutes": [minute(NOW - number * 60_000, jobs * (number % 7)) for number in reversed(range(60))],
        "queues": {"photo": {"waiting": counts["pending"], "running": 0}},
        "oldest_pending": None,
        **values,
    }


def job(number: int) -> dict[str, Any]:
    """Return a failed job. The higher its number, the newer it is."""
    return {
        "id": str(UUID(int=number)), "kind": "photo", "status": "error", "version": 2,
        "input": {"query": f"topic {number}"}, "output": None, "progress": None,
        "error": {"code": "lost", "message": "lost", "attempts": 1},
        "starts_at": None, "deferred_until": None, "created_at": NOW + number, "updated_at": NOW,
    }  # fmt: skip


def list_of(jobs: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
    """Return what the API answers: a page by its number, or after a cursor, which is a job's id here."""
    ids = [each["id"] for each in jobs]
    (cursor,) = query.get("cursor", [""])
    start = ids.index(cursor) + 1 if cursor else PAGE_SIZE * (int(query["page"][0]) - 1)
    end = start + PAGE_SIZE
    return {
        "total": len(jobs), "page": 1, "pageSize": PAGE_SIZE, "totalPages": -(-len(jobs) // PAGE_SIZE),
        "data": jobs[start:end], "next_cursor": ids[end - 1] if end < len(jobs) else None,
        "live_cursor": str(NOW),
    }  # fmt: skip


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Yield a function that opens a path of the built web app, with given responses and without a stream."""
    errors: list[str] = []
    with closing(browser.new_context()) as first:
        contexts = [first]

        def open_page(path: str, responses: dict[str, Any], **options: Any) -> Page:
            contexts.append(browser.new_context(**{"viewport": DESKTOP, **options}))
            page = contexts[-1].new_page()
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.route("**/api/live*", lambda route: route.abort())
            serve_app(page, ORIGIN, responses)
            page.goto(f"{ORIGIN}{path}")
            return page

        yield open_page
        for context in contexts:
            context.close()
    assert errors == []


def scroll_to_end(page: Page) -> None:
    page.mouse.move(5, 400)
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")


def test_the_page_is_right_for_no_jobs_and_for_a_million(open_page: Open) -> None:
    empty = stats(NONE, 0)
    budgets = {"unsplash": {"limit": 50, "remaining": 7, "resets_at": NOW + 600_000}}
    oldest = {"id": str(UUID(int=1)), "created_at": NOW - 7_200_000}
    kinds = {"photo": MANY, "retired": {**NONE, "resolved": 1}}
    full = stats(
        MANY, 30_000, counts_by_kind=kinds, codes={CODE: 45_678}, budgets=budgets, oldest_pending=oldest
    )
    config = {"apiUrl": "/api", "dashboardUrl": "https://console.test/dashboard"}
    for shown, (width, scheme, size) in [(each, look) for each in (empty, full) for look in SIZES]:
        options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
        page = open_page("/operations", {"/api/stats": shown, "/config.json": config}, **options)
        page.add_style_tag(content=f":root {{ font-size: {size} }}")
        expect(page.get_by_role("heading", level=1)).to_have_text("Operations")
        expect(page.locator(".tiles")).to_be_visible()
        for summary in page.locator("summary").all():
            summary.click()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        expect(page.get_by_role("link", name="CloudWatch dashboard")).to_have_attribute(
            "href", config["dashboardUrl"]
        )
        expect(page.locator(".chart canvas")).to_have_count(2 if shown is full else 0)
        if shown is empty:
            expect_text(page.locator("#failures + p"), "No job has failed.")
            continue
        links = {
            "1,234,567": "/?status=pending",
            "45,678": "/?status=error",
            "2 hours ago": f"/jobs/{oldest['id']}",
            f"{sum(m['created'] for m in full['minutes']):,} created": f"/?since={NOW - 59 * 60_000}",
            "retired": "/?kind=retired",
        }
        for name, href in links.items():
            link = page.get_by_role("link", name=name, exact=True).first
            expect(link).to_have_attribute("href", href)
        row = page.get_by_role("row").filter(has_text=CODE)
        expect(row.get_by_role("link")).to_have_attribute("href", f"/?status=error&code={CODE}")
        expect_text(page.locator(".budgets"), "7 of 50 left, resets at ")
        rows = page.locator("#outcomes ~ details tbody tr")
        expect(rows).to_have_count(60)
    urls = record_requests(page, "/api/stats")
    wait_for_requests(page, urls, 1)
    page.wait_for_timeout(4_000)  # the page must not ask again for five seconds
    assert len(urls) == 1
    page = open_page("/operations", {"/api/stats": full})
    page.route("**/api/stats*", lambda route: route.fulfill(status=403, json={"detail": "owner: no"}))
    page.goto(f"{ORIGIN}/operations")
    expect(page.get_by_role("heading", level=1)).to_have_text("For operators only")
    assert violations(page) == []


def test_older_jobs_load_while_scrolling_and_are_still_there_after_back(open_page: Open) -> None:
    jobs = [job(number) for number in reversed(range(1, 101))]
    page = open_page("/nowhere", {f"/api/jobs/{each['id']}": each for each in jobs})
    queries: list[dict[str, list[str]]] = []

    def answer(route: Route) -> None:
        queries.append(parse_qs(urlsplit(route.request.url).query))
        route.fulfill(json=list_of(jobs, queries[-1]))

    page.route(re.compile(r"/api/jobs\?"), answer)
    page.goto(f"{ORIGIN}/?status=error&kind=photo")
    cards = page.locator(".card[data-job]")
    expect(cards).to_have_count(PAGE_SIZE)
    for count in (48, 72, 96, 100):
        focused = cards.nth(count // 2 - 12).get_by_role("link").first
        focused.focus(timeout=5_000)
        scroll_to_end(page)
        expect(cards).to_have_count(count)
        expect(focused).to_be_focused()
    assert job_ids(page) == [each["id"] for each in jobs]
    assert all((query["status"], query["kind"]) == (["error"], ["photo"]) for query in queries)
    expect(page.get_by_role("status").filter(has_text="older jobs loaded")).to_have_count(1)
    expect(page.get_by_role("navigation", name="Pages")).to_have_count(0)
    assert violations(page) == []
    jobs.insert(0, job(101))  # it pushes a job off the first page, which the older pages do not have
    expect(page.get_by_role("button", name="1 new job")).to_be_visible()
    cards.nth(80).get_by_role("link").first.click()
    expect(page.locator(".timeline")).to_be_visible()
    page.go_back()
    expect(card(page, jobs[81]["id"])).to_be_in_viewport()
    assert job_ids(page) == [each["id"] for each in jobs]
    jobs.insert(0, job(102))
    page.get_by_role("button", name="1 new job").click()
    expect(cards.first).to_have_attribute("data-job", jobs[0]["id"])
    assert job_ids(page) == [each["id"] for each in jobs[: len(job_ids(page))]]
    page.get_by_role("link", name="Older jobs").click()  # without scrolling to the end first
    expect(page).to_have_url(re.compile(r"page=2"))
    expect(cards.first).to_have_attribute("data-job", jobs[PAGE_SIZE]["id"])


def test_jobs_are_found_by_a_text_of_their_input_and_arrive_live(calo: Calo, visit: Visit) -> None:
    found, other = calo.create("Harbour by night")["id"], calo.create("salad")["id"]
    page = visit()
    page.get_by_text("Find jobs").click()
    page.get_by_label("Text").fill("harbour BY")
    page.get_by_role("button", name="Show jobs").click()
    expect(page).to_have_url(re.compile(r"/\?text=harbour\+BY$"))
    expect(card(page, found)).to_be_visible()
    expect(card(page, other)).to_have_count(0)
    expect_live(page)
    newer, last = calo.create("the harbour by day")["id"], calo.create("salad")["id"]
    eventually(lambda: calo.get(f"jobs/{last}").json()["status"] == "resolved")
    expect_text(card(page, newer), "Ready")
    assert job_ids(page) == [newer, found]


def fail_three(calo: Calo) -> tuple[list[str], str]:
    """Return the ids of three failed jobs, which the statistics include, and their error code."""
    failed = [calo.create("void")["id"] for _ in range(3)]
    eventually(lambda: all(calo.get(f"jobs/{each}").json()["status"] == "error" for each in failed))
    code = calo.get(f"jobs/{failed[0]}").json()["error"]["code"]
    eventually(lambda: calo.get("stats").json()["codes"].get(code, 0) >= 3)
    return failed, code


def test_failed_jobs_are_found_by_their_code_and_a_job_by_its_id(calo: Calo, visit: Visit) -> None:
    failed, code = fail_three(calo)
    other = calo.create("pasta")["id"]
    page = visit("/operations")
    page.get_by_role("row").filter(has_text=code).get_by_role("link").click()
    expect(page.locator(".find")).to_have_attribute("open", "")
    assert parse_qs(urlsplit(page.url).query) == {"status": ["error"], "code": [code]}
    for job_id in failed:
        expect_text(card(page, job_id), "Failed")
    expect(card(page, other)).to_have_count(0)
    page.get_by_role("combobox", name="Kind", exact=True).select_option("countdown")
    page.get_by_role("button", name="Show jobs").click()
    expect(page.get_by_role("heading", name="No such jobs")).to_be_visible()
    assert page.url.endswith(f"/?status=error&kind=countdown&code={code}")
    page.reload()  # the filter is in the address
    expect(page.get_by_label("Error code")).to_have_value(code)
    page.get_by_label("Job id").fill(f"see {page.url}")
    page.get_by_role("button", name="Open job").click()
    expect_text(page.get_by_role("alert"), "This contains no job id")
    page.get_by_label("Job id").fill(f" {calo.system.url}/jobs/{other.upper()} ")
    page.get_by_role("button", name="Open job").click()
    expect(page).to_have_url(re.compile(other))


def test_failed_jobs_are_retried_together(calo: Calo, visit: Visit) -> None:
    failed, code = fail_three(calo)
    page = visit("/operations")
    row = page.get_by_role("row").filter(has_text=code)
    posts: list[dict[str, Any]] = []

    def answer_in_steps(route: Route) -> None:
        """Change one job at a time, so that there is progress to see."""
        posts.append(json.loads(route.request.post_data or ""))
        route.fulfill(response=route.fetch(post_data={**posts[-1], "limit": 1}))

    page.route("**/api/jobs/retry", answer_in_steps)
    row.get_by_role("button").click()
    expect(page.locator("#change")).to_be_focused()
    ask = page.get_by_role("button", name=re.compile(r"^Retry (3|[4-9]|\d\d+) jobs…$"))
    ask.click()
    question = page.get_by_role("alertdialog")
    expect(question.get_by_role("button", name="No")).to_be_focused()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    expect(page.locator("#change")).to_be_focused()
    assert posts == []
    ask.click()
    question.get_by_role("button", name="Retry").click()
    expect(page.locator(".change")).to_contain_text(re.compile(r"Done: (3|[4-9]|\d\d+) jobs were retried\."))
    assert len(posts) >= 3
    assert all(post == {"status": "error", "code": code} for post in posts)
    versions = [calo.get(f"jobs/{each}").json()["version"] for each in failed]
    assert min(versions) >= 3
