"""Debian's Chromium, driven by Playwright: for browser tests, screenshots and benchmarks."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

EXECUTABLES = ("chromium-headless-shell", "chromium")
"""The first is the same engine without a browser's windows: a page takes a third of the processor time."""
HOW_TO_GET = "Chromium is not installed; run: apt-get install chromium-headless-shell"
FLAGS = [
    "--no-sandbox",  # Chromium does not start as root with a sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """Return its path, or None if it is not installed."""
    return next(filter(None, map(shutil.which, EXECUTABLES)), None)


@contextmanager
def launch(path: str) -> Iterator[Browser]:
    """Run a headless browser. Playwright runs an event loop in this thread meanwhile, so no other can run."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
