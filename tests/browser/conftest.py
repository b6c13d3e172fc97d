"""Debian's Chromium, driven by Playwright, and the local system that it visits."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from local.processes import free_ports
from local.system import LocalSystem
from tests.integration.conftest import Calo

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the whole session: while Playwright is there, its event loop runs, and no other may."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium on this machine; get it by: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page in a context of its own."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def calo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calo]:
    """The local system as `make run` starts it."""
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

    def open_page(path: str = "/", **options: Any) -> Page:
        context = browser.new_context(**{"viewport": DESKTOP, "base_url": calo.system.url, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on(
            "console",
            lambda message: "Content Security Policy" in message.text and failures.append(message.text),
        )
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert failures == []
