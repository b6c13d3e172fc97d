"""Every page in every state and look.

A page or a state that is added to the web app gets a line in `STATES`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, Route

WIDE: Any = {"width": 1280, "height": 900}
PHONE: Any = {"width": 390, "height": 844}
NARROW: Any = {"width": 320, "height": 640}

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": WIDE},
    "dark": {"viewport": WIDE, "color_scheme": "dark"},
    "phone": {"viewport": PHONE},
    "narrow-dark": {"viewport": NARROW, "color_scheme": "dark"},
    "large-text": {"viewport": WIDE},  # twice the size
    "phone-large-text": {"viewport": PHONE},
    "forced-colours": {"viewport": WIDE, "forced_colors": "active"},
}
"""The options of the browser's context, by name. With `large-text` in its name, text has twice its size."""

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class State:
    """A page in a state. `path` may name jobs, such as `/jobs/{failed}`: see `make_every_state`.

    `ready` is the selector of what is visible in this state. `prepare` is called before the page is opened.
    With `empty` it is taken before any job exists.
    """

    name: str
    path: str
    ready: str
    prepare: Callable[[Page], None] = lambda _: None
    empty: bool = False


def respond(url: str, answer: Callable[[Route], None]) -> Callable[[Page], None]:
    """Return a preparation that answers the requests for a URL, which may have wildcards."""

    def prepare(page: Page) -> None:
        page.route(url, answer)

    return prepare


def _slow(page: Page) -> None:
    """Leave the requests to the API without an answer."""
    page.add_init_script("""const { fetch } = window;
      window.fetch = (input, ...others) =>
        String(input.url ?? input).includes("/api/") ? new Promise(() => {}) : fetch(input, ...others);""")


def _fail(route: Route) -> None:
    problem = {
        "type": "about:blank",
        "title": "Service unavailable",
        "status": 503,
        "detail": "Try again later.",
    }
    route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(problem))


def _ask_to_sign_in(route: Route) -> None:
    sign_in = {
        "issuer": "https://login.example.com", "clientId": "calo", "scope": "openid", "hostedUrl": "/",
        "bearer": "access_token",
    }  # fmt: skip
    route.fulfill(json={"apiUrl": "/api", "signIn": sign_in})


DOWN, CUT = respond("**/api/**", _fail), respond("**/api/live*", _fail)
LIVE = ".live[data-status=live]"

STATES = [
    State("jobs-empty", "/", f"body:has({LIVE}) .empty-state", empty=True),
    State("schedules-empty", "/schedules", ".empty-state", empty=True),
    State("operations-empty", "/operations", ".operations .columns", empty=True),
    State("jobs", "/", f"body:has({LIVE}) .photo[data-state=shown]"),
    State("jobs-pending", "/?status=pending", f"body:has({LIVE}) .card"),
    State("jobs-failed", "/?status=error", f"body:has({LIVE}) .card"),
    State("jobs-cancelled", "/?status=cancelled", f"body:has({LIVE}) .card"),
    State("jobs-past-the-end", "/?page=99", ".empty-state"),
    State("jobs-found", "/?status=error&kind=photo", f"body:has({LIVE}) .card"),
    State("jobs-loading", "/", ".skeleton", _slow),
    State("jobs-error", "/", ".problem", DOWN),
    State("jobs-not-live", "/", "body:has(.stale-notice) .photo[data-state=shown]", CUT),
    *(
        State(f"job-{name}", f"/jobs/{{{name}}}", f"body:has({LIVE}) .timeline")
        for name in ("delayed", "deferred", "working", "resolved", "failed", "cancelled")
    ),
    State("job-loading", "/jobs/{resolved}", "[aria-busy=true]", _slow),
    State("job-error", "/jobs/{resolved}", ".problem", DOWN),
    State("job-not-found", f"/jobs/{UNKNOWN_ID}", ".empty-state"),
    State("schedules", "/schedules", ".schedules form"),
    State("schedules-loading", "/schedules", "[aria-busy=true]", _slow),
    State("schedules-error", "/schedules", ".problem", DOWN),
    State("operations", "/operations", ".operations canvas"),
    State("operations-loading", "/operations", "[aria-busy=true]", _slow),
    State("operations-error", "/operations", ".problem", DOWN),
    State("not-found", "/nowhere", ".empty-state"),
    State("signed-out", "/", ".empty-state", respond("**/config.json", _ask_to_sign_in)),
    State("no-settings", "/", "main", respond("**/config.json", _fail)),
]
