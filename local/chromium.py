"""Debian's Chromium, driven by Playwright: for the tests of the web app, its pictures and its figures."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

HOW_TO_GET = "no Chromium on this machine; get it by: apt-get install chromium"
FLAGS = [
    "--no-sandbox",  # it will not start for root with one
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """Its path, if it is installed."""
    return shutil.which("chromium")


@contextmanager
def launch(path: str) -> Iterator[Browser]:
    """A headless browser. While it is there, Playwright runs an event loop in this thread: no other may."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
