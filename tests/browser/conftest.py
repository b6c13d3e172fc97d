"""Fixtures: Chromium driven by Playwright, and the local system that it opens."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from local.chromium import HOW_TO_GET, find_chromium, launch
from local.processes import free_ports
from local.system import LocalSystem
from tests.integration.conftest import Calo

DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}


expect.set_options(timeout=60_000)
"""Milliseconds. The timeout is long because the machine may be busy; a met expectation returns earlier."""


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the Chromium executable. Skip the test if Chromium is not installed."""
    path = find_chromium()
    if path is None:
        pytest.skip(HOW_TO_GET)
    return path


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """Yield a browser for this package. While Playwright runs, no other event loop can run in this thread."""
    with launch(chromium) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Yield an empty page in a new browser context."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def calo(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calo]:
    """Yield the local system as `make run` starts it. It is not started if Chromium is not installed."""
    folder = tmp_path_factory.mktemp("web") / "run"
    port, receiver = free_ports(2)
    settings = {"webhook_private_hosts": f"127.0.0.1:{receiver}"}
    environment = {"HOME": str(folder.parent)}  # no access key and no endpoint of the caller
    with (
        LocalSystem(folder, port, settings=settings, environment=environment) as system,
        contextlib.closing(Calo(system)) as calo,
    ):
        yield calo


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, calo: Calo) -> Iterator[Visit]:
    """Yield a function that opens a path of the web app in a new browser context with the given options.

    At the end, fail if a page had a script error or violated its content security policy.
    """
    with visits(browser, calo.system.url) as visit:
        yield visit


@contextlib.contextmanager
def visits(browser: Browser, url: str) -> Iterator[Visit]:
    """Yield what the fixture `visit` does, for the system at a URL."""
    contexts: list[BrowserContext] = []
    failures: list[str] = []

    def record_violation(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            failures.append(message.text)

    def open_page(path: str = "/", **options: Any) -> Page:
        context = browser.new_context(**{"viewport": DESKTOP, "base_url": url, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("console", record_violation)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert failures == []
