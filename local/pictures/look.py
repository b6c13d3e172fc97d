"""Opens pages for pictures, and takes them."""

import io
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from local.pictures.states import LOOKS, State

TIMEOUT_MS = 30_000
MAX_HEIGHT = 2400
"""Pixels. Longer pages are cut."""


def open_page(browser: Browser, url: str, state: State | None = None, **options: Any) -> Page:
    """Open a page in a new context, without motion."""
    page = browser.new_context(reduced_motion="reduce", **options).new_page()
    page.set_default_timeout(TIMEOUT_MS)
    if state:
        state.prepare(page)
    page.goto(url)
    return page


def take(
    browser: Browser, url: str, state: State, look: str, jobs: dict[str, str], *, whole: bool = True
) -> Image.Image:
    """Return a picture of a page in a state and a look, of the `whole` page or of the top.

    `jobs` are ids, by the names in the path.
    """
    page = open_page(browser, f"{url}{state.path.format(**jobs)}", state, **LOOKS[look])
    expect(page.locator(state.ready).first).to_be_visible(timeout=TIMEOUT_MS)
    if "large-text" in look:
        page.evaluate("document.documentElement.style.fontSize = '200%'")
    wait_for_images(page)
    picture = Image.open(io.BytesIO(page.screenshot(full_page=whole))).convert("RGB")
    page.context.close()
    return picture.crop((0, 0, picture.width, min(picture.height, MAX_HEIGHT)))


def save(picture: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=80, method=6)
    print(path)


def wait_for_images(page: Page) -> None:
    """Wait until the photos on the screen are shown."""
    loading = ".photo:not([data-state=shown]) img[loading=eager]"
    expect(page.locator(loading)).to_have_count(0, timeout=TIMEOUT_MS)
    page.wait_for_timeout(500)  # for partly visible images
