"""The page of jobs: asking, watching, paging, filtering, and what it says when something is wrong."""

import json
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, Route, expect

from functions.common.clock import now_ms
from tests.browser.conftest import Visit
from tests.browser.web_app import ask, card, is_live, says, shown_jobs
from tests.integration.conftest import Calo, eventually

PROBLEM = {"type": "about:blank", "title": "", "errors": []}

WATCH_CARDS = """topic => {
  window.most = 0;
  const count = () => {
    const cards = [...document.querySelectorAll(".card h2")].filter(one => one.textContent === topic);
    window.most = Math.max(window.most, cards.length);
  };
  new MutationObserver(count).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


def refuse(status: int, detail: str, **headers: str) -> Any:
    """A route that answers with a problem."""

    def handle(route: Route) -> None:
        body = json.dumps({**PROBLEM, "status": status, "detail": detail})
        route.fulfill(status=status, content_type="application/problem+json", body=body, headers=headers)

    return handle


def posts_only(page: Page, handle: Any) -> None:
    page.route(
        "**/api/jobs", lambda route: handle(route) if route.request.method == "POST" else route.fallback()
    )


def test_a_job_shows_at_once_never_twice_and_changes_by_itself(calo: Calo, visit: Visit) -> None:
    page = visit()
    is_live(page)
    topic = f"tea {uuid4().hex[:6]}"

    def answer_late(route: Route) -> None:
        """Only when the job has ended, and the live stream has told all about it."""
        answer = route.fetch()
        eventually(lambda: calo.get(f"jobs/{answer.json()['id']}").json()["status"] == "resolved")
        page.wait_for_timeout(1500)  # the stream's turn, which must not show
        route.fulfill(response=answer)

    posts_only(page, answer_late)
    page.evaluate(WATCH_CARDS, topic)
    ask(page, topic)
    cards = page.locator(".card", has_text=topic)
    expect(cards).to_have_count(1)
    says(cards, "Sending…")
    says(cards, "Ready")
    expect(cards.locator("img")).to_be_visible()
    expect(cards).to_have_count(1)
    assert page.evaluate("window.most") == 1


def test_several_at_once_are_several_jobs(calo: Calo, visit: Visit) -> None:
    page = visit()
    topic = f"pasta {uuid4().hex[:6]}"
    ask(page, topic, count="3")
    cards = page.locator(".card[data-job]", has_text=topic)
    expect(cards).to_have_count(3)
    expect(cards.filter(has_text="Ready")).to_have_count(3)


def test_a_delayed_job_says_when_it_starts_and_can_be_cancelled(calo: Calo, visit: Visit) -> None:
    page = visit()
    topic = f"soup {uuid4().hex[:6]}"
    ask(page, topic, delay="900")
    cards = page.locator(".card[data-job]", has_text=topic)
    says(cards, "Starts at")
    cards.get_by_role("button", name="Cancel").click()
    says(cards, "Cancelled")
    cards.get_by_role("button", name="Try again").click()
    says(cards, "Ready")


def test_two_browsers_see_the_same_job_change(calo: Calo, visit: Visit) -> None:
    first, second = visit(), visit()
    is_live(first)
    is_live(second)
    topic = f"salad {uuid4().hex[:6]}"
    ask(first, topic)
    for page in (first, second):
        cards = page.locator(".card[data-job]", has_text=topic)
        says(cards, "Ready")
        expect(cards).to_have_attribute("data-version", "2")


def test_a_failure_tells_its_reason_and_the_photographer_is_credited(calo: Calo, visit: Visit) -> None:
    page = visit()
    failed, resolved = calo.create("nothing")["id"], calo.create("bread")["id"]
    says(card(page, failed), "Unsplash has no photos for “nothing”")
    says(card(page, resolved), "Photo by")
    photographer, photo = card(page, resolved).locator(".credit a").all()
    for link in (photographer, photo):
        assert "utm_source=" in (link.get_attribute("href") or "")
        assert "utm_medium=referral" in (link.get_attribute("href") or "")
    assert photo.inner_text() == "Unsplash"


def test_the_list_can_be_of_one_status_and_counts_are_those_of_the_server(calo: Calo, visit: Visit) -> None:
    cancelled = calo.create("bread", delay_seconds=900)["id"]
    calo.http.delete(f"jobs/{cancelled}")
    page = visit()
    says(card(page, cancelled), "Cancelled")
    page.get_by_role("link", name="Cancelled").click()
    expect(page).to_have_url(f"{calo.system.url}/?status=cancelled")
    expect(page.locator(".grid[aria-busy=false]")).to_be_visible()
    expect(card(page, cancelled)).to_be_visible()
    expect(page.locator(".card[data-job] .status[data-look=cancelled]")).to_have_count(
        page.locator(".card[data-job]").count()
    )

    def counts_agree() -> bool:
        counts = calo.get("stats").json()["counts"]
        shown = page.locator(".filter .count").all_inner_texts()
        return shown == [str(sum(counts.values())), *[str(counts[name]) for name in counts]]

    # a job that leaves the status leaves the list, and the counts follow
    calo.http.post(f"jobs/{cancelled}/retry")
    expect(card(page, cancelled)).to_have_count(0)
    eventually(counts_agree)


def test_pages_follow_each_other_and_back_brings_the_last_one_back(calo: Calo, visit: Visit) -> None:
    for _ in range(30 - len(calo.get("jobs", pageSize=30).json()["data"])):
        calo.create("bread")
    pages = [
        [job["id"] for job in calo.get("jobs", pageSize=24, page=number).json()["data"]] for number in (1, 2)
    ]
    page = visit()
    eventually(lambda: shown_jobs(page) == pages[0])
    page.get_by_role("link", name="Older").click()
    eventually(lambda: shown_jobs(page) == pages[1])
    says(page.locator(".pager"), "Page 2 of ")
    page.go_back()
    eventually(lambda: shown_jobs(page) == pages[0])
    page.goto(f"/?cursor={calo.get('jobs', pageSize=24).json()['next_cursor']}")
    eventually(lambda: shown_jobs(page) == pages[1])


def test_the_budget_is_told_in_words(calo: Calo, visit: Visit) -> None:
    calo.create(f"bread {uuid4().hex[:6]}")  # a new topic costs a request, and begins the hour
    page = visit()
    says(page.locator(".budget"), " of 50 requests left, resets at ")
    left = int(page.locator("meter").get_attribute("value") or "")
    assert 0 <= left < 50


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (refuse(400, "query: must have no control characters"), "Query: must have no control characters."),
        (refuse(429, "too many requests", **{"Retry-After": "7"}), "Too many requests. Try again after "),
    ],
    ids=["bad", "throttled"],
)
def test_a_refused_request_is_told_in_words_and_not_lost(
    calo: Calo, visit: Visit, refusal: Any, words: str
) -> None:
    page = visit()
    topic = f"cake {uuid4().hex[:6]}"
    posts_only(page, refusal)
    ask(page, topic)
    draft = page.locator(".card", has_text=topic)
    says(draft, f"Not sent. {words}")
    page.unroute("**/api/jobs")
    draft.get_by_role("button", name="Try again").click()
    says(page.locator(".card[data-job]", has_text=topic), "Ready")
    expect(page.locator(".card", has_text=topic)).to_have_count(1)


def test_a_deferred_job_says_until_when_it_waits(calo: Calo, visit: Visit) -> None:
    job_id = calo.create("bread", delay_seconds=900)["id"]
    page = visit()
    is_live(page)
    until = now_ms() + 1_800_000
    calo.client("dynamodb").update_item(  # as a worker does that finds the budget spent
        TableName=calo.system.outputs["JobsTable"],
        Key={"id": {"S": job_id}},
        UpdateExpression="SET deferred_until = :until, version = version + :one, updated_at = :now",
        ExpressionAttributeValues={
            ":until": {"N": str(until)}, ":one": {"N": "1"}, ":now": {"N": str(now_ms())},
        },
    )  # fmt: skip
    says(card(page, job_id), "Waits for the rate limit until ")
    clock = page.evaluate("until => new Date(until).toLocaleTimeString([], {timeStyle: 'short'})", until)
    says(card(page, job_id), str(clock))
    page.goto(f"/jobs/{job_id}")
    says(page.locator(".timeline"), "waiting costs no attempt")
    calo.http.delete(f"jobs/{job_id}")
    says(page.locator(".timeline"), "Waited for the rate limit, until ")


def test_the_very_first_visit_says_what_to_do(visit: Visit) -> None:
    page = visit("/nowhere")
    empty = {"total": 0, "page": 1, "pageSize": 24, "totalPages": 0, "data": [], "next_cursor": None}
    page.route("**/api/jobs?*", lambda route: route.fulfill(json={**empty, "live_cursor": str(now_ms())}))
    page.route("**/api/live*", lambda route: route.abort())  # it would tell of the other tests' jobs
    page.goto("/")
    says(page.locator(".blank"), "Ask for a photo of something, and watch it come.")


def test_a_list_without_such_jobs_says_so(visit: Visit, calo: Calo) -> None:
    page = visit("/?status=error&page=40")
    says(page.locator(".blank"), "No such jobs")
    page.get_by_role("link", name="All jobs").click()
    expect(page).to_have_url(f"{calo.system.url}/")


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (refuse(503, "try again in a moment"), "Try again in a moment."),
        (refuse(429, "too many requests", **{"Retry-After": "2"}), "Too many requests. Try again after "),
    ],
    ids=["busy", "throttled"],
)
def test_while_the_list_cannot_be_read_it_says_so_and_then_shows_it(
    calo: Calo, visit: Visit, refusal: Any, words: str
) -> None:
    page = visit("/nowhere")
    page.add_init_script("Math.random = () => 0.99")  # waits between tries are as long as they can be
    page.route("**/api/jobs?*", refusal)
    page.goto("/")
    says(page.locator(".problem"), words)
    expect(page.locator(".skeleton").first).to_be_visible()
    page.unroute("**/api/jobs?*")
    is_live(page)
    expect(page.locator(".problem")).to_have_count(0)


def test_an_address_that_leads_nowhere_says_so(visit: Visit) -> None:
    page = visit("/nowhere")
    says(page.locator("main"), "There is no page at this address.")
