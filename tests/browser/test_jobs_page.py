"""The jobs page: create jobs, watch them change, filter and page through the list, and error messages."""

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, Route, expect

from functions.common.clock import now_ms
from tests.browser.conftest import Visit
from tests.browser.web_app import card, create_jobs, expect_live, expect_text, job_ids
from tests.integration.conftest import Calo, eventually

PROBLEM = {"type": "about:blank", "title": "", "errors": []}

WATCH_CARDS = """topic => {
  window.maxCards = 0;
  const countCards = () => {
    const titles = [...document.querySelectorAll(".card h2")].filter(title => title.textContent === topic);
    window.maxCards = Math.max(window.maxCards, titles.length);
  };
  const changes = {childList: true, subtree: true, characterData: true};
  new MutationObserver(countCards).observe(document.body, changes);
}"""


def problem(status: int, detail: str, **headers: str) -> Any:
    """Return a route handler that responds with a problem."""

    def handle(route: Route) -> None:
        body = json.dumps({**PROBLEM, "status": status, "detail": detail})
        route.fulfill(status=status, content_type="application/problem+json", body=body, headers=headers)

    return handle


def route_posts(page: Page, handle: Any) -> None:
    """Handle only the requests that create jobs."""
    page.route(
        "**/api/jobs", lambda route: handle(route) if route.request.method == "POST" else route.fallback()
    )


def test_a_job_appears_immediately_and_only_once_and_changes_live(calo: Calo, visit: Visit) -> None:
    page = visit()
    expect_live(page)
    topic = f"tea {uuid4().hex[:6]}"

    def respond_late(route: Route) -> None:
        """Respond after the job has ended and the live stream has reported it."""
        response = route.fetch()
        eventually(lambda: calo.get(f"jobs/{response.json()['id']}").json()["status"] == "resolved")
        page.wait_for_timeout(1500)  # the page receives the events, and must not show them yet
        route.fulfill(response=response)

    route_posts(page, respond_late)
    page.evaluate(WATCH_CARDS, topic)
    create_jobs(page, topic)
    cards = page.locator(".card", has_text=topic)
    expect(cards).to_have_count(1)
    expect_text(cards, "Sending…")
    expect_text(cards, "Ready")
    expect(cards.locator("img")).to_be_visible()
    expect(cards).to_have_count(1)
    assert page.evaluate("window.maxCards") == 1


def test_several_photos_are_several_jobs(calo: Calo, visit: Visit) -> None:
    page = visit()
    topic = f"pasta {uuid4().hex[:6]}"
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    create_jobs(page, topic, count="3")
    cards = page.locator(".card[data-job]", has_text=topic)
    expect(cards).to_have_count(3)
    expect(cards.filter(has_text="Ready")).to_have_count(3)
    assert [url.rsplit("/", 1)[1] for url in posts] == ["bulk"]


def test_a_delayed_job_says_when_it_starts_and_can_be_cancelled(calo: Calo, visit: Visit) -> None:
    page = visit()
    topic = f"soup {uuid4().hex[:6]}"
    create_jobs(page, topic, delay="900")
    cards = page.locator(".card[data-job]", has_text=topic)
    expect_text(cards, "Starts at")
    cards.get_by_role("button", name="Cancel").click()
    expect_text(cards, "Cancelled")
    cards.get_by_role("button", name="Try again").click()
    expect_text(cards, "Ready")


def test_a_countdown_shows_its_progress_live_and_can_be_cancelled(calo: Calo, visit: Visit) -> None:
    page = visit()
    expect_live(page)
    page.get_by_label("Kind of job").select_option(label="Count down")
    for seconds in ("2", "600"):
        page.get_by_label("Seconds").fill(seconds)
        page.get_by_role("button", name="Create job").click()
    short = page.locator(".card[data-job]", has_text="Count down: 2").first
    long = page.locator(".card[data-job]", has_text="Count down: 600").first
    expect_text(long, "s left")
    expect(long.get_by_role("progressbar")).to_have_attribute(
        "aria-valuetext", re.compile(r"^\d+ %, \d+ s left$")
    )
    long.get_by_role("button", name="Cancel").click()
    expect_text(long, "Cancelled")
    expect(long.get_by_role("progressbar")).to_have_count(0)
    expect_text(short, "Seconds counted")
    short.get_by_role("link", name="Count down: 2").click()
    expect_text(page.locator(".timeline"), "Ready after ")
    expect_text(page.locator("dl").first, "Seconds counted")


def test_two_browsers_see_the_same_job_change(calo: Calo, visit: Visit) -> None:
    first, second = visit(), visit()
    expect_live(first)
    expect_live(second)
    topic = f"salad {uuid4().hex[:6]}"
    create_jobs(first, topic)
    for page in (first, second):
        cards = page.locator(".card[data-job]", has_text=topic)
        expect_text(cards, "Ready")
        expect(cards).to_have_attribute("data-version", "2")


def test_a_failed_job_shows_its_reason_and_a_resolved_job_its_photographer(calo: Calo, visit: Visit) -> None:
    page = visit()
    failed, resolved = calo.create("nothing")["id"], calo.create("bread")["id"]
    expect_text(card(page, failed), "Unsplash has no photos for “nothing”")
    expect_text(card(page, resolved), "Photo by")
    photographer, photo = card(page, resolved).locator(".credit a").all()
    for link in (photographer, photo):
        assert "utm_source=" in (link.get_attribute("href") or "")
        assert "utm_medium=referral" in (link.get_attribute("href") or "")
    assert photo.inner_text() == "Unsplash"


def test_the_list_can_be_filtered_and_shows_the_counts_of_the_server(calo: Calo, visit: Visit) -> None:
    cancelled = calo.create("bread", delay_seconds=900)["id"]
    calo.http.delete(f"jobs/{cancelled}")
    page = visit()
    expect_text(card(page, cancelled), "Cancelled")
    page.get_by_role("link", name="Cancelled").click()
    expect(page).to_have_url(f"{calo.system.url}/?status=cancelled")
    expect(page.locator(".grid[aria-busy=false]")).to_be_visible()
    expect(card(page, cancelled)).to_be_visible()
    expect(page.locator(".card[data-job] .status[data-status=cancelled]")).to_have_count(
        page.locator(".card[data-job]").count()
    )

    def counts_agree() -> bool:
        counts = calo.get("stats").json()["counts"]
        shown = page.locator(".filter .count").all_inner_texts()
        return shown == [str(sum(counts.values())), *[str(counts[name]) for name in counts]]

    # a job that no longer has the status is removed from the list, and the counts change
    calo.http.post(f"jobs/{cancelled}/retry")
    expect(card(page, cancelled)).to_have_count(0)
    eventually(counts_agree)


def test_older_jobs_are_on_the_next_page_and_back_returns_to_the_previous(calo: Calo, visit: Visit) -> None:
    for _ in range(30 - len(calo.get("jobs", pageSize=30).json()["data"])):
        calo.create("bread")
    pages = [
        [job["id"] for job in calo.get("jobs", pageSize=24, page=number).json()["data"]] for number in (1, 2)
    ]
    page = visit()
    eventually(lambda: job_ids(page) == pages[0])
    page.get_by_role("link", name="Older jobs").click()
    eventually(lambda: job_ids(page) == pages[1])
    expect_text(page.locator(".pager"), "Page 2 of ")
    page.go_back()
    eventually(lambda: job_ids(page) == pages[0])
    page.goto(f"/?cursor={calo.get('jobs', pageSize=24).json()['next_cursor']}")
    eventually(lambda: job_ids(page) == pages[1])


def test_the_budget_is_shown_as_text(calo: Calo, visit: Visit) -> None:
    calo.create(f"bread {uuid4().hex[:6]}")  # a new topic uses a request, which starts the hour
    page = visit()
    text = re.compile(r"^\d+ of 50 requests left, resets at |^No Unsplash requests left until ")
    expect(page.locator(".budget p")).to_have_text(text)
    remaining = int(page.locator("meter").get_attribute("value") or "")
    assert 0 <= remaining < 50


@pytest.mark.parametrize(
    ("respond", "message"),
    [
        (
            problem(400, "query: must have no control characters"),
            "Query: must have no control characters.",
        ),
        (
            problem(429, "too many requests", **{"Retry-After": "7"}),
            "Too many requests. Try again after ",
        ),
    ],
    ids=["bad", "throttled"],
)
def test_a_rejected_request_shows_the_reason_and_can_be_sent_again(
    calo: Calo, visit: Visit, respond: Any, message: str
) -> None:
    page = visit()
    topic = f"cake {uuid4().hex[:6]}"
    route_posts(page, respond)
    create_jobs(page, topic)
    draft = page.locator(".card", has_text=topic)
    expect_text(draft, f"Not sent. {message}")
    page.unroute("**/api/jobs")
    draft.get_by_role("button", name="Try again").click()
    expect_text(page.locator(".card[data-job]", has_text=topic), "Ready")
    expect(page.locator(".card", has_text=topic)).to_have_count(1)


def test_a_deferred_job_shows_when_it_continues(calo: Calo, visit: Visit) -> None:
    job_id = calo.create("bread", delay_seconds=900)["id"]
    page = visit()
    expect_live(page)
    until = now_ms() + 1_800_000
    calo.client("dynamodb").update_item(  # as a worker does when no budget is left
        TableName=calo.system.outputs["JobsTable"],
        Key={"id": {"S": job_id}},
        UpdateExpression="SET deferred_until = :until, version = version + :one, updated_at = :now",
        ExpressionAttributeValues={
            ":until": {"N": str(until)}, ":one": {"N": "1"}, ":now": {"N": str(now_ms())},
        },
    )  # fmt: skip
    expect_text(card(page, job_id), "Waiting for Unsplash's hourly limit; continues at ")
    clock = page.evaluate("until => new Date(until).toLocaleTimeString([], {timeStyle: 'short'})", until)
    expect_text(card(page, job_id), str(clock))
    page.goto(f"/jobs/{job_id}")
    expect_text(page.locator(".timeline"), "this doesn't count as an attempt")
    calo.http.delete(f"jobs/{job_id}")
    expect_text(page.locator(".timeline"), "Waited for Unsplash's hourly limit until ")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/", "Type a topic above. Your photo will appear here."),
        ("/?status=error", "Nothing has failed."),
    ],
)
def test_an_empty_list_says_what_is_missing(visit: Visit, path: str, message: str) -> None:
    page = visit("/nowhere")
    empty = {"total": 0, "page": 1, "pageSize": 24, "totalPages": 0, "data": [], "next_cursor": None}
    page.route("**/api/jobs?*", lambda route: route.fulfill(json={**empty, "live_cursor": str(now_ms())}))
    page.route("**/api/live*", lambda route: route.abort())  # it would bring the jobs of other tests
    page.goto(path)
    expect_text(page.locator(".empty-state"), message)


def test_a_page_after_the_last_one_says_so_and_links_to_all_jobs(visit: Visit, calo: Calo) -> None:
    page = visit("/?status=error&page=40")
    expect_text(page.locator(".empty-state"), "No jobs on this page")
    page.get_by_role("link", name="All jobs").click()
    expect(page).to_have_url(f"{calo.system.url}/")


@pytest.mark.parametrize(
    ("respond", "message"),
    [
        (problem(503, "try again in a moment"), "Try again in a moment."),
        (
            problem(429, "too many requests", **{"Retry-After": "2"}),
            "Too many requests. Try again after ",
        ),
    ],
    ids=["busy", "throttled"],
)
def test_a_list_that_cannot_be_loaded_shows_the_reason_and_then_recovers(
    calo: Calo, visit: Visit, respond: Any, message: str
) -> None:
    page = visit("/nowhere")
    page.add_init_script("Math.random = () => 0.99")  # the longest possible waits between attempts
    page.route("**/api/jobs?*", respond)
    page.goto("/")
    expect_text(page.locator(".problem"), message)
    expect(page.locator(".skeleton").first).to_be_visible()
    page.unroute("**/api/jobs?*")
    expect_live(page)
    expect(page.locator(".problem")).to_have_count(0)


def test_an_unknown_address_shows_a_message(visit: Visit) -> None:
    page = visit("/nowhere")
    expect_text(page.locator("main"), "There is no page at this address.")


def test_the_form_counts_characters_as_the_api_does(calo: Calo, visit: Visit) -> None:
    long = ("🍝é👩漢" * 20)[:79] + " x"  # 81 code points
    page = visit()
    expect_live(page)
    topic = page.get_by_label("Topic")
    topic.fill(long)
    message = page.get_by_text("Too long. Remove 1 character: at most 80 are allowed.")
    expect(message).to_be_visible()
    expect(topic).to_have_attribute("aria-invalid", "true")
    cards = page.locator(".card").count()
    topic.press("Enter")
    expect(topic).to_have_value(long)  # nothing is cut, and nothing is sent
    assert page.locator(".card").count() == cards
    topic.press("Backspace")
    expect(message).to_have_count(0)
    topic.press_sequentially("y")
    expect(message).to_be_visible()
    text = "🍝é👩漢" * 20
    topic.fill(f"  {text}  ")  # spaces around it do not count
    expect(message).to_have_count(0)
    assert [job["input"].get("query") for job in calo.get("jobs").json()["data"]].count(text) == 0
    topic.press("Enter")
    expect(page.locator(".card[data-job] h2", has_text=text).first).to_be_visible()
    expect(topic).to_have_value("")


def test_typing_more_than_the_api_allows_shows_a_message(visit: Visit) -> None:
    page = visit()
    topic = page.get_by_label("Topic")
    topic.click()
    page.keyboard.insert_text("🍝" * 40)
    expect(topic).to_have_value("🍝" * 40)
    expect(page.locator(".create .error")).to_have_count(0)
    page.keyboard.insert_text("🍝" * 60)  # as pasting does
    expect(page.locator(".create .error")).to_have_text(
        "Too long. Remove 20 characters: at most 80 are allowed."
    )
