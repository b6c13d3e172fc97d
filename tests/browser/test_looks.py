"""Accessibility, screen sizes, colour schemes, motion and layout shifts of the pages."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image, ImageStat
from playwright.sync_api import Page, expect

from local.deployment import ROOT
from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.browser.web_app import card, expect_live, expect_text
from tests.integration.conftest import Calo, eventually

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"

SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver(list => {
    for (const shift of list.getEntries()) {
      const moved = shift.sources.map(({node}) => `${node?.parentElement?.className}>${node?.className}`);
      window.shifts.push([shift.value, moved.join(", ")]);
    }
  }).observe({type: "layout-shift", buffered: true});
}"""

ANIMATED = """document.getAnimations()
  .filter(animation => animation.playState === "running")
  .map(animation => animation.effect.getKeyframes().flatMap(Object.keys)
    .filter(name => !["offset", "computedOffset", "easing", "composite"].includes(name)))"""
"""The animated properties of each running animation."""


@pytest.fixture(scope="module")
def every_state(calo: Calo) -> Iterator[dict[str, str]]:
    """Yield the id of a job in each status, by status."""
    jobs = {
        "pending": calo.create("soup", delay_seconds=900)["id"],
        "resolved": calo.create("bread")["id"],
        "error": calo.create("nothing")["id"],
        "cancelled": calo.create("cake", delay_seconds=900)["id"],
    }
    calo.http.delete(f"jobs/{jobs['cancelled']}")

    def status_of(job_id: str) -> Any:
        return calo.get(f"jobs/{job_id}").json()["status"]

    eventually(lambda: all(status_of(job_id) == status for status, job_id in jobs.items()))
    yield jobs
    calo.http.delete(f"jobs/{jobs['pending']}")


def violations(page: Page) -> list[str]:
    """Return what axe (https://github.com/dequelabs/axe-core) reports, including best practices."""
    page.evaluate(AXE.read_text())
    results = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {rule['help']}: {json.dumps([node['html'] for node in rule['nodes']])}"
        for rule in results["violations"]
    ]


def brightness(page: Page) -> float:
    """Return the median brightness of the screen, from 0 (black) to 255."""
    screenshot = Image.open(io.BytesIO(page.screenshot())).convert("L")
    return float(ImageStat.Stat(screenshot).median[0])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_reports_no_violations(visit: Visit, every_state: dict[str, str], scheme: str) -> None:
    page = visit(color_scheme=scheme, reduced_motion="reduce")
    expect_live(page)
    expect_text(card(page, every_state["error"]), "Failed")
    jobs = {f"/jobs/{job_id}": ".timeline" for job_id in every_state.values()}
    for path, content in {"/": ".card", **jobs, "/nowhere": ".empty-state"}.items():
        page.goto(path)
        for viewport in (DESKTOP, PHONE):
            page.set_viewport_size(viewport)  # type: ignore[arg-type]  # a plain dict
            expect(page.locator(content).first).to_be_visible()
            assert violations(page) == [], (path, viewport)


def test_nothing_is_wider_than_the_screen(visit: Visit, every_state: dict[str, str]) -> None:
    page = visit()
    for path in ("/", f"/jobs/{every_state['resolved']}", f"/jobs/{every_state['error']}"):
        page.goto(path)
        for width in (320, 390, 768, 1280, 2560):
            page.set_viewport_size({"width": width, "height": 800})
            expect(page.locator(".frame").first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


def test_the_dark_colour_scheme_is_dark(visit: Visit, every_state: dict[str, str]) -> None:
    light, dark = visit(color_scheme="light"), visit(color_scheme="dark")
    for page in (light, dark):
        expect(page.locator(".frame").first).to_be_visible()
    assert brightness(light) > 200
    assert brightness(dark) < 50


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_hint_in_the_empty_input_has_enough_contrast(visit: Visit, scheme: str) -> None:
    page = visit(color_scheme=scheme)
    read_colours = """input => [getComputedStyle(input, "::placeholder").color,
                              getComputedStyle(input).backgroundColor]"""
    colours = page.get_by_label("Topic").evaluate(read_colours)
    lighter, darker = sorted((luminance(colour) for colour in colours), reverse=True)
    # https://www.w3.org/TR/WCAG22/#contrast-minimum
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5, colours


def luminance(colour: str) -> float:
    """Return an opaque colour's relative luminance: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    channels = [int(channel) / 255 for channel in re.findall(r"\d+", colour)]
    assert len(channels) == 3, colour
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_budget_fills_the_height_of_its_meter(
    calo: Calo, visit: Visit, every_state: dict[str, str]
) -> None:
    meter = visit().locator("meter")
    expect(meter).to_be_visible()
    screenshot = Image.open(io.BytesIO(meter.screenshot())).convert("L")
    middle = screenshot.crop((20, 1, 21, screenshot.height - 1)).tobytes()
    assert max(middle) - min(middle) < 10, list(middle)


def test_animations_cost_little_and_reduced_motion_stops_them(visit: Visit) -> None:
    """The browser moves and fades what is painted already; any other property is painted for each frame."""
    animated, still = visit("/nowhere"), visit("/nowhere", reduced_motion="reduce")
    for page in (animated, still):
        page.route("**/api/jobs/*", lambda _: None)  # never answered
        page.goto(f"/jobs/{uuid4()}")
        expect(page.locator(".frame[aria-busy=true]")).to_be_visible()
    animations = animated.evaluate(ANIMATED)
    assert animations
    assert {name for names in animations for name in names} <= {"transform", "opacity"}
    assert still.evaluate(ANIMATED) == []


def test_the_layout_does_not_shift_when_jobs_resolve_and_images_load(calo: Calo, visit: Visit) -> None:
    job_id = calo.create("bread", delay_seconds=900)["id"]
    pages = [visit("/nowhere"), visit("/nowhere"), visit("/nowhere", viewport=PHONE)]
    for page, path in zip(pages, ("/", f"/jobs/{job_id}", "/"), strict=True):
        page.add_init_script(f"({SHIFTS})()")
        page.goto(path)
        expect_live(page)
        expect(card(page, job_id)).to_be_visible()
    calo.start_now(job_id)
    for page in pages:
        expect(page.locator(f"[data-job='{job_id}'] .photo[data-state=shown]")).to_be_visible()
        shifts = page.evaluate("window.shifts")
        assert sum(value for value, _ in shifts) < 0.05, shifts  # "good" is 0.1: https://web.dev/articles/cls


def test_the_page_can_be_used_with_the_keyboard_only(
    calo: Calo, visit: Visit, every_state: dict[str, str]
) -> None:
    page = visit()
    expect_live(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    for _ in range(4):  # after the name and the links to the schedules and operations
        page.keyboard.press("Tab")
    expect(page.get_by_label("Kind of job")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Topic")).to_be_focused()
    page.keyboard.type("cheese plate")
    page.keyboard.press("Enter")
    expect_text(page.locator(".card[data-job]", has_text="cheese plate"), "Ready")
    expect_text(page.locator("[aria-live=polite].visually-hidden"), "Photo of cheese plate is ready")
    read_names = "buttons => buttons.map(button => button.ariaLabel ?? button.textContent)"
    names = page.get_by_role("button").evaluate_all(read_names)
    assert len(set(names)) > 2
    assert "Cancel: soup" in names


def test_a_new_page_starts_at_the_top_and_back_restores_the_scroll_position(
    calo: Calo, visit: Visit, every_state: dict[str, str]
) -> None:
    page = visit(viewport=PHONE)
    expect_live(page)
    title = card(page, every_state["resolved"]).get_by_role("link", name="bread", exact=True)
    title.scroll_into_view_if_needed()
    scroll_position = page.evaluate("scrollY")
    assert scroll_position > 0
    title.click()
    expect(page.locator("main")).to_be_focused()
    assert page.evaluate("scrollY") == 0
    page.go_back()
    expect(title).to_be_in_viewport()
    page.wait_for_function("position => scrollY === position", arg=scroll_position)


def test_images_are_lazy_and_cached(calo: Calo, visit: Visit, every_state: dict[str, str]) -> None:
    job_ids = [calo.create("bread")["id"] for _ in range(5)]
    page = visit()
    for job_id in job_ids:
        expect_text(card(page, job_id), "Ready")
    image = card(page, every_state["resolved"]).locator("img")
    expect(image).to_be_visible()
    assert int(image.get_attribute("width") or 0) > 0
    loading = page.locator(".photo img").evaluate_all("images => images.map(image => image.loading)")
    assert "lazy" in loading
    assert "eager" in loading
    response = calo.http.get(image.get_attribute("src") or "")
    assert "immutable" in response.headers["cache-control"]
    script = page.locator("script[type=module]").get_attribute("src") or ""
    assert "immutable" in calo.http.get(f"{calo.system.url}{script}").headers["cache-control"]
    assert calo.http.get(calo.system.url).headers["cache-control"] == "no-cache"
