"""Forms, cards and pages for jobs of any kind, with responses of the API that the tests choose."""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct
from playwright.sync_api import Browser, Locator, Page, Route, expect

from functions.common.clock import now_ms
from functions.common.job import Job
from functions.common.kind import Kind
from functions.sse_relay.job_change import JobChange
from infra.kinds import read_kinds
from infra.tools.contract import describe
from tests.browser.offline import serve_app
from tests.browser.test_looks import violations
from tests.browser.web_app import card, expect_live, job_ids
from tests.relay.process import RelayProcess, relay_process

ANNOUNCED = "[aria-live=polite].visually-hidden"


class Input(Struct):
    text: Annotated[str, Meta(min_length=1, max_length=1000, description="The text to count")]
    style: Annotated[Literal["plain", "fancy"], Meta(title="Style of the text")] = "plain"
    ignore_case: bool = True
    factor: Annotated[float, Meta(ge=0, le=2, multiple_of=0.5)] = 1.0
    tags: list[str] = []


class Word(Struct):
    word: str
    count: Annotated[int, Meta(title="How often")]


class Output(Struct):
    words: int
    top: list[Word]
    page: str
    picture: str
    hostile: str
    is_long: bool
    nothing: str | None


COUNT = Kind("count", "Count words", Input, Output, lambda job_input, context: None, label="text")
KINDS = {name: declaration.kind for name, declaration in read_kinds().items()} | {"count": COUNT}
OUTPUT = {
    "words": 12345,
    "top": [{"word": "the", "count": 7}],
    "page": "https://example.com/a?b=c",
    "picture": "/images/count/a.png",
    "hostile": "javascript:alert(1)",
    "is_long": False,
    "nothing": None,
}


def make_job(number: int, kind: str, job_input: dict[str, Any], **values: Any) -> Job:
    job_id = f"00000000-0000-4000-8000-{number:012d}"
    times = {"created_at": 1_800_000_000_000 + number, "updated_at": now_ms(), "expires_at": now_ms()}
    return Job(id=job_id, kind=kind, input=job_input, **{**times, **values})


class App:
    """The web app in a page, with a relay that sends what the test publishes."""

    def __init__(self, page: Page, relay: RelayProcess) -> None:
        self.page = page
        self._relay = relay
        self._responses: dict[str, Any] = {"/api/kinds": describe(KINDS)}
        serve_app(page, relay.url, self._responses)
        page.route("**/api/live*", lambda route: route.continue_(url=f"{relay.url}/live"))

    def open(self, *jobs: Job, path: str = "/") -> None:
        views = [job.public_view() for job in reversed(jobs)]
        self._responses["/api/jobs"] = {
            "total": len(jobs), "page": 1, "pageSize": 24, "totalPages": 1, "data": views,
            "next_cursor": None, "live_cursor": str(now_ms()),
        }  # fmt: skip
        self._responses.update({f"/api/jobs/{view['id']}": view for view in views})
        self.page.goto(f"{self._relay.url}{path}")
        expect_live(self.page)

    def publish(self, job: Job) -> None:
        self._relay.publish(JobChange.from_job(job))

    def choose(self, kind: str) -> None:
        self.page.get_by_label("Kind of job").select_option(kind)

    def answer_posts(self, status: int, body: dict[str, Any]) -> list[Any]:
        """Answer requests for new jobs, also for several. Return a list that grows with the jobs' bodies."""
        bodies: list[Any] = []

        def answer(route: Route) -> None:
            if route.request.method != "POST":
                route.fallback()
                return
            sent = json.loads(route.request.post_data or "")
            bodies.extend(sent.get("jobs", [sent]))
            if "jobs" in sent:
                route.fulfill(json={"results": [body] * len(sent["jobs"])})
            else:
                route.fulfill(status=status, json=body)

        self.page.route(re.compile("/api/jobs(/bulk)?$"), answer)
        return bodies


@pytest.fixture
def app(browser: Browser) -> Iterator[App]:
    context = browser.new_context(reduced_motion="reduce")
    failures: list[str] = []
    with relay_process() as relay:
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        yield App(page, relay)
        context.close()
    assert failures == []


def value_of(progress_bar: Locator) -> float:
    return float(progress_bar.get_attribute("value") or "nan")


def test_photo_is_the_first_kind_and_the_chosen_one_is_remembered(app: App) -> None:
    app.open()
    expect(app.page.get_by_label("Kind of job")).to_have_value("photo")
    expect(app.page.get_by_role("button", name="Get photo")).to_be_visible()
    app.choose("countdown")
    expect(app.page.get_by_label("Seconds")).to_have_value("10")
    app.page.reload()
    expect(app.page.get_by_label("Kind of job")).to_have_value("countdown")
    app.page.evaluate("localStorage.setItem('calo-kind', 'removed')")
    app.page.reload()
    expect(app.page.get_by_label("Kind of job")).to_have_value("photo")


def test_the_form_has_a_control_for_every_field(app: App) -> None:
    app.open()
    app.choose("count")
    text = app.page.get_by_label("Text", exact=True)
    expect(text).to_have_js_property("tagName", "TEXTAREA")
    expect(text).to_have_accessible_description("The text to count")
    style = app.page.get_by_label("Style of the text")
    expect(style.locator("option")).to_have_text(["fancy", "plain"])
    expect(app.page.get_by_role("switch", name="Ignore case")).to_be_checked()
    factor = app.page.get_by_label("Factor")
    for name, value in {"min": "0", "max": "2", "step": "0.5", "value": "1"}.items():
        assert factor.get_attribute(name) == value
    app.choose("countdown")
    seconds = app.page.get_by_label("Seconds")
    expect(seconds).to_have_accessible_description("From where to count")
    assert [seconds.get_attribute(name) for name in ("min", "max", "step")] == ["1", "600", "1"]


def test_the_values_are_sent_and_the_form_is_empty_again(app: App) -> None:
    app.open()
    app.choose("count")
    sent = {"text": "a b\nc", "style": "fancy", "ignore_case": False, "factor": 1.5, "tags": ["x"]}
    bodies = app.answer_posts(201, make_job(1, "count", sent).public_view())
    app.page.get_by_label("Text", exact=True).fill("a b\nc")
    app.page.get_by_label("Style of the text").select_option(label="fancy")
    app.page.get_by_role("switch", name="Ignore case").uncheck()
    app.page.get_by_label("Factor").fill("1.5")
    app.page.get_by_label("Tags").fill('["x"]')
    app.page.get_by_role("button", name="Create job").click()
    expect(app.page.locator(".card h2")).to_have_text("Count words: a b c")
    expect(app.page.locator(".card[data-job]")).to_have_count(1)
    assert bodies == [{"kind": "count", "input": sent}]
    expect(app.page.get_by_label("Text", exact=True)).to_have_value("")
    expect(app.page.get_by_role("switch", name="Ignore case")).to_be_checked()


def test_values_outside_the_bounds_are_not_sent(app: App) -> None:
    app.open()
    app.choose("countdown")
    bodies = app.answer_posts(500, {})
    seconds = app.page.get_by_label("Seconds")
    for value in ("0", "601", "1.5"):
        seconds.fill(value)
        app.page.get_by_role("button", name="Create job").click()
        expect(seconds).to_be_focused()
        assert seconds.evaluate("input => input.validity.valid") is False
    app.choose("count")
    app.page.get_by_role("button", name="Create job").click()  # without its text
    expect(app.page.get_by_label("Text", exact=True)).to_be_focused()
    app.page.get_by_label("Text", exact=True).fill("x")
    app.page.get_by_label("Tags").fill("[")
    app.page.get_by_role("button", name="Create job").click()
    expect(app.page.locator(".field .error")).to_contain_text("Must be JSON")
    assert bodies == []
    expect(app.page.locator(".card")).to_have_count(0)


def test_an_error_of_the_api_is_shown_at_its_field(app: App) -> None:
    app.open()
    app.choose("count")
    errors = [{"field": "input.tags[0]", "message": "must be text"}]
    bodies = app.answer_posts(400, {"status": 400, "detail": "input.tags[0]: must be text", "errors": errors})
    app.page.get_by_label("Text", exact=True).fill("kept")
    tags = app.page.get_by_label("Tags")
    tags.fill("[1]")
    app.page.get_by_label("How many").select_option(label="2 jobs")
    app.page.get_by_role("button", name="Create 2 jobs").click()
    expect(tags).to_have_accessible_description("[0] must be text.")
    expect(tags).to_have_attribute("aria-invalid", "true")
    expect(tags).to_have_value("[1]")
    expect(app.page.get_by_label("Text", exact=True)).to_have_value("kept")
    expect(app.page.locator(".card")).to_have_count(0)
    assert len(bodies) == 2
    tags.fill("[]")
    expect(tags).to_have_attribute("aria-invalid", "false")


def test_progress_changes_neither_the_order_nor_the_focus_nor_what_is_announced(app: App) -> None:
    first = make_job(1, "countdown", {"seconds": 20}, progress={"fraction": 0.1, "message": "18 s left"})
    jobs = [first, *(make_job(number, "countdown", {"seconds": number}) for number in range(2, 6))]
    app.open(*jobs)
    page = app.page
    order = job_ids(page)
    bar = card(page, first.id).get_by_role("progressbar", name="Progress of Count down: 20")
    expect(bar).to_have_attribute("aria-valuetext", "10 %, 18 s left")
    cancel = card(page, first.id).get_by_role("button", name="Cancel: Count down: 20")
    cancel.focus()
    box = card(page, first.id).bounding_box()
    expect(page.locator(ANNOUNCED)).to_be_attached()
    page.evaluate(
        """selector => {
          window.announcements = 0;
          new MutationObserver(() => { window.announcements += 1; }).observe(
            document.querySelector(selector), {childList: true, subtree: true, characterData: true});
        }""",
        ANNOUNCED,
    )
    for version in range(2, 10):
        progress = {"fraction": version / 10, "message": f"{20 - 2 * version} s left"}
        app.publish(make_job(1, "countdown", {"seconds": 20}, version=version, progress=progress))
        expect(card(page, first.id)).to_have_attribute("data-version", str(version))
        assert value_of(bar) == version / 10
        expect(cancel).to_be_focused()
    assert job_ids(page) == order
    assert card(page, first.id).bounding_box() == box
    assert page.evaluate("window.announcements") == 0
    app.publish(
        make_job(1, "countdown", {"seconds": 20}, version=10, status="resolved", output={"seconds": 20})
    )
    expect(bar).to_have_count(0)
    expect(card(page, first.id).locator(".output")).to_contain_text("Seconds counted20")
    assert job_ids(page) == order


def test_progress_without_a_fraction_shows_its_message(app: App) -> None:
    job = make_job(1, "countdown", {"seconds": 5}, progress={"fraction": None, "message": "reading"})
    app.open(job, path=f"/jobs/{job.id}")
    bar = app.page.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuetext", "reading")
    assert bar.get_attribute("value") is None
    expect(app.page.locator(".progress")).to_contain_text("reading")
    expect(app.page.locator(".status")).to_contain_text("Running")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_output_is_readable(app: App, scheme: Literal["light", "dark"]) -> None:
    app.page.emulate_media(color_scheme=scheme)
    job = make_job(1, "count", {"text": "It was"}, status="resolved", output=OUTPUT)
    app.page.route("**/images/**", lambda route: route.fulfill(status=404))
    app.open(job)
    expect(card(app.page, job.id)).to_contain_text("12,345")
    assert violations(app.page) == []
    app.open(job, path=f"/jobs/{job.id}")
    output = app.page.locator(".output")
    for text in ("Words", "12,345", "How often", "7", "Is long", "no", "Nothing", "none"):
        expect(output).to_contain_text(text)
    links = output.get_by_role("link").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert links[0] == "https://example.com/a?b=c"
    assert links[1].endswith("/images/count/a.png")
    assert len(links) == 2  # the script is only text
    expect(output.get_by_role("link", name="/images/count/a.png")).to_be_visible()  # it could not be loaded
    expect(app.page.get_by_role("heading", name="Input")).to_be_visible()
    assert violations(app.page) == []


def test_a_job_of_an_unknown_kind_is_shown(app: App) -> None:
    nested: Any = "deep"
    for _ in range(800):
        nested = [nested]
    job = make_job(1, "removed", {"a": 1}, status="resolved", output={"answer": 42, "nested": nested})
    failed = make_job(2, "removed", {}, status="error", error={"code": "x", "message": "y", "attempts": 3})
    app.open(job, failed)
    expect(card(app.page, job.id).locator("h2")).to_have_text("removed")
    expect(card(app.page, job.id)).to_contain_text("42")
    expect(card(app.page, failed.id)).to_contain_text("Failed")
    card(app.page, job.id).get_by_role("link", name="removed").click()
    expect(app.page.get_by_role("heading", level=1)).to_have_text("removed")
    expect(app.page.locator(".output")).to_contain_text("42")
    assert violations(app.page) == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(app: App, width: int) -> None:
    app.page.set_viewport_size({"width": width, "height": 800})
    word = "x" * 200
    output = {**OUTPUT, "page": f"https://example.com/{word}", "hostile": word}
    job = make_job(1, "count", {"text": word}, status="resolved", output=output)
    running = make_job(2, "count", {"text": word}, progress={"fraction": 0.5, "message": word})
    app.open(running, job)
    for kind in ("photo", "countdown", "count"):
        app.choose(kind)
        expect(app.page.locator(".create form")).to_be_visible()
        assert app.page.evaluate("document.documentElement.scrollWidth") <= width
    for path in (f"/jobs/{job.id}", f"/jobs/{running.id}"):
        app.open(running, job, path=path)
        expect(app.page.locator(".frame")).to_be_visible()
        assert app.page.evaluate("document.documentElement.scrollWidth") <= width
