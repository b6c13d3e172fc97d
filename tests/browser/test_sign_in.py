"""Signing in with Cognito's page, the jobs that each user sees, and the end of a session."""

import json
import re
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from local.processes import free_ports
from local.sign_in import User
from local.system import LocalSystem
from tests.browser.conftest import PHONE, Visit, visits
from tests.browser.test_looks import violations
from tests.browser.web_app import card, create_jobs, expect_live, expect_text, job_ids, record_requests

STORED = "JSON.stringify([Object.entries(sessionStorage), Object.entries(localStorage)])"
ENDED = "You are no longer signed in. What you have typed is kept."


@pytest.fixture(scope="module")
def system(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """Yield what `make run ARGS="-c auth=cognito"` starts."""
    folder = tmp_path_factory.mktemp("sign-in") / "run"
    (port,) = free_ports(1)
    environment = {"HOME": str(folder.parent)}
    with LocalSystem(folder, port, {"auth": "cognito"}, environment=environment) as system:
        yield system


@pytest.fixture
def open_page(browser: Browser, system: LocalSystem) -> Iterator[Visit]:
    with visits(browser, system.url) as visit:
        yield visit


@pytest.fixture
def ann(system: LocalSystem) -> User:
    return system.users[0]


@pytest.fixture
def bob(system: LocalSystem) -> User:
    return system.users[1]


def sign_in(page: Page, user: User) -> None:
    """Press the button of Calo, and fill in Cognito's page."""
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Username").fill(user.email)
    page.get_by_label("Password").fill(user.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".account")).to_contain_text(user.email)
    expect_live(page)


def refuse_to_renew(page: Page) -> None:
    """Answer as the issuer does when a session has been revoked or is too old."""
    body = json.dumps({"error": "invalid_grant"})

    def answer(route: Route) -> None:
        if "grant_type=refresh_token" not in (route.request.post_data or ""):
            route.fallback()
            return
        route.fulfill(status=400, body=body, content_type="application/json")

    page.route("**/oauth2/token", answer)


@pytest.fixture
def short_tokens(system: LocalSystem) -> Iterator[int]:
    """Let tokens that are issued from now on expire after the seconds that are yielded."""
    names = {"UserPoolId": system.outputs["UserPoolId"], "ClientId": system.outputs["UserPoolClientId"]}
    with closing(system.emulator.client("cognito-idp")) as cognito:
        client = cognito.describe_user_pool_client(**names)["UserPoolClient"]
        times = ("CreationDate", "LastModifiedDate")
        settings = {name: value for name, value in client.items() if value and name not in times}
        units = {"AccessToken": "seconds", "IdToken": "seconds", "RefreshToken": "days"}
        short = {"AccessTokenValidity": 5, "IdTokenValidity": 5, "TokenValidityUnits": units}
        cognito.update_user_pool_client(**{**settings, **short})
        yield 5
        cognito.update_user_pool_client(**settings)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_signing_in_returns_to_the_page_and_stores_no_access_token(
    open_page: Visit, ann: User, scheme: str
) -> None:
    page = open_page("/?status=pending", color_scheme=scheme, viewport=PHONE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to Calo")
    assert violations(page) == []
    tokens: set[str] = set()
    page.on("request", lambda request: tokens.add(request.headers.get("authorization", "")))
    sign_in(page, ann)
    assert page.url.endswith("/?status=pending")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    (token,) = tokens - {""}
    assert token.startswith("Bearer ey")
    assert token.removeprefix("Bearer ") not in page.evaluate(STORED)


def test_each_user_sees_only_their_own_jobs(open_page: Visit, ann: User, bob: User) -> None:
    page_of_ann, page_of_bob = open_page(), open_page()
    sign_in(page_of_ann, ann)
    sign_in(page_of_bob, bob)
    create_jobs(page_of_ann, "pasta", count="3")
    expect(page_of_ann.locator(".card[data-job] .status[data-status=resolved]")).to_have_count(3)
    create_jobs(page_of_bob, "soup")
    expect_text(page_of_bob.locator(".card[data-job]"), "Ready")
    assert len(job_ids(page_of_bob)) == 1
    expect(page_of_bob.locator(".filters, .overview")).to_contain_text("All 1")
    (job_of_bob,) = job_ids(page_of_bob)
    assert job_of_bob not in job_ids(page_of_ann)
    page_of_bob.goto(f"/jobs/{job_ids(page_of_ann)[0]}")
    expect(page_of_bob.get_by_role("heading", level=1)).to_have_text("Not found")


def test_a_reload_keeps_the_session_and_signing_out_ends_it_in_all_tabs(open_page: Visit, bob: User) -> None:
    page = open_page()
    sign_in(page, bob)
    page.reload()
    expect_live(page)
    expect(page.locator(".account")).to_contain_text(bob.email)
    other = page.context.new_page()
    other.goto("/")  # the emulator's page keeps no session, and asks again
    other.get_by_label("Username").fill(bob.email)
    other.get_by_label("Password").fill(bob.password)
    other.get_by_role("button", name="Sign in").click()
    expect_live(other)
    page.get_by_role("button", name="Sign out").click()
    for tab in (page, other):
        expect(tab.get_by_role("heading", level=1)).to_have_text("Sign in to Calo")
        assert json.loads(tab.evaluate(STORED)) == [[], []]
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to Calo")


def test_tokens_are_renewed_and_a_stream_that_has_ended_continues(
    open_page: Visit, ann: User, short_tokens: int
) -> None:
    page = open_page()
    streams = record_requests(page, "/api/live")
    sign_in(page, ann)
    with page.expect_request(re.compile("/api/live"), timeout=4 * short_tokens * 1000):
        pass  # the relay has ended the stream with its token
    assert len(streams) > 1
    expect_live(page)
    create_jobs(page, "bread")
    expect_text(page.locator(".card[data-job]").first, "Ready")
    expect(page.locator(".session-notice")).to_be_empty()


def test_the_end_of_a_session_is_shown_and_what_was_typed_is_kept(
    open_page: Visit, ann: User, short_tokens: int
) -> None:
    page = open_page()
    sign_in(page, ann)
    page.get_by_label("Kind of job").select_option("photo")
    refuse_to_renew(page)
    notice = page.locator(".session-notice")
    expect_text(notice, ENDED, seconds=2 * short_tokens)
    expect(page.locator(".stale-notice")).to_be_hidden()
    assert violations(page) == []
    create_jobs(page, "cheese")
    draft = page.locator(".card", has_text="cheese")
    expect(draft).to_contain_text("Not sent. You are no longer signed in.")
    page.get_by_role("textbox", name="Topic").fill("half a sent")
    page.unroute("**/oauth2/token")
    sign_in(page, ann)
    expect(page.get_by_role("textbox", name="Topic")).to_have_value("half a sent")
    sent = page.locator(".card[data-job]", has_text="cheese")
    expect_text(sent, "Ready")
    expect(card(page, job_ids(page)[0])).to_have_count(1)
    expect(sent).to_have_count(1)


def test_what_was_typed_is_not_shown_to_another_user(
    open_page: Visit, ann: User, bob: User, short_tokens: int
) -> None:
    page = open_page()
    sign_in(page, ann)
    refuse_to_renew(page)
    page.get_by_role("textbox", name="Topic").fill("a secret")
    expect_text(page.locator(".session-notice"), ENDED, seconds=2 * short_tokens)
    page.unroute("**/oauth2/token")
    sign_in(page, bob)
    expect(page.get_by_role("textbox", name="Topic")).to_have_value("")


def test_a_sign_in_that_fails_says_so(open_page: Visit) -> None:
    page = open_page()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Username")).to_be_visible()
    state = re.search(r"state=([^&]+)", page.url)
    assert state
    page.goto(f"/?error=access_denied&state={state[1]}")
    expect(page.get_by_role("alert")).to_have_text("The sign-in was not completed.")
    assert page.url.endswith("/")
    page.goto("/?code=invented&state=invented")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to Calo")


def test_a_machine_calls_the_api_with_its_client_credentials(system: LocalSystem) -> None:
    """As docs/sign-in.md describes. No browser is needed, but this system has a user pool."""
    with closing(system.emulator.client("cognito-idp")) as cognito:
        client = cognito.create_user_pool_client(
            UserPoolId=system.outputs["UserPoolId"],
            ClientName="nightly",
            GenerateSecret=True,
            AllowedOAuthFlows=["client_credentials"],
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthScopes=["calo/jobs"],
        )["UserPoolClient"]
    with httpx.Client(base_url=system.url, timeout=60) as http:
        answer = http.post(
            "/oauth2/token",
            auth=(client["ClientId"], client["ClientSecret"]),
            data={"grant_type": "client_credentials", "scope": "calo/jobs"},
        )
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        created = http.post("/api/jobs", json={"query": "pasta"}, headers=headers)
        assert created.status_code == 201, created.text
        assert http.get("/api/jobs", headers=headers).json()["data"][0]["id"] == created.json()["id"]
        ticket = http.post("/api/live/tickets", headers=headers).json()["ticket"]
        with http.stream(
            "GET", "/api/live", params={"ticket": ticket, "job": created.json()["id"]}
        ) as stream:
            assert stream.status_code == 200
            lines = stream.iter_lines()
            assert created.json()["id"] in next(line for line in lines if line.startswith("data:"))
