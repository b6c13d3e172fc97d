"""Debian's Chromium, driven by Playwright, and the local system that it visits."""

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
"""Milliseconds: machines may be busy. Nothing waits longer than it must."""


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where it is."""
    path = find_chromium()
    if path is None:
        pytest.skip(HOW_TO_GET)
    return path


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Not for the whole session: while Playwright is there, its event loop runs, and no other may."""
    with launch(chromium) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page in a context of its own."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def calo(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calo]:
    """The local system as `make run` starts it; only if there is a browser to visit it."""
    folder = tmp_path_factory.mktemp("web") / "run"
    (port,) = free_ports(1)
    environment = {"HOME": str(folder.parent)}  # nothing of the caller's: no key, no endpoint
    with (
        LocalSystem(folder, port, environment=environment) as system,
        contextlib.closing(Calo(system)) as whole,
    ):
        yield whole


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, calo: Calo) -> Iterator[Visit]:
    """Opens a path of the web app as a new visitor, with options of a browser's context. At the end no page
    may have failed in its scripts or broken its own content security policy."""
    contexts: list[BrowserContext] = []
    failures: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            failures.append(message.text)

    def open_page(path: str = "/", **options: Any) -> Page:
        context = browser.new_context(**{"viewport": DESKTOP, "base_url": calo.system.url, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("console", note)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert failures == []
