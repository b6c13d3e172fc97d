"""How the pages look and read: for all eyes, screens and tastes, without a jump."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image, ImageStat
from playwright.sync_api import Page, expect

from local.deployment import ROOT
from tests.browser.conftest import PHONE, Visit
from tests.browser.web_app import card, is_live, says
from tests.integration.conftest import Calo, eventually

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"

SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver(list => {
    for (const one of list.getEntries()) {
      const moved = one.sources.map(({node}) => `${node?.parentElement?.className}>${node?.className}`);
      window.shifts.push([one.value, moved.join(", ")]);
    }
  }).observe({type: "layout-shift", buffered: true});
}"""


@pytest.fixture(scope="module")
def every_state(calo: Calo) -> Iterator[dict[str, str]]:
    """A job of each kind, by its look."""
    jobs = {
        "pending": calo.create("soup", delay_seconds=900)["id"],
        "resolved": calo.create("bread")["id"],
        "error": calo.create("nothing")["id"],
        "cancelled": calo.create("cake", delay_seconds=900)["id"],
    }
    calo.http.delete(f"jobs/{jobs['cancelled']}")

    def status_of(job_id: str) -> Any:
        return calo.get(f"jobs/{job_id}").json()["status"]

    eventually(lambda: all(status_of(job_id) == look for look, job_id in jobs.items()))
    yield jobs
    calo.http.delete(f"jobs/{jobs['pending']}")


def violations(page: Page) -> list[str]:
    """What axe (https://github.com/dequelabs/axe-core) finds, best practices included."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{one['id']}: {one['help']}: {json.dumps([n['html'] for n in one['nodes']])}" for one in found]


def brightness(page: Page) -> float:
    """Of the whole screen, 0 (black) to 255."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("L")
    return float(ImageStat.Stat(picture).median[0])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, None], ids=["phone", "desktop"])
def test_axe_finds_nothing(
    calo: Calo, visit: Visit, every_state: dict[str, str], scheme: str, viewport: dict[str, int] | None
) -> None:
    options: dict[str, Any] = {"color_scheme": scheme, "reduced_motion": "reduce"}
    if viewport:
        options["viewport"] = viewport
    page = visit(**options)
    is_live(page)
    says(card(page, every_state["error"]), "Failed")
    assert violations(page) == []
    for look in every_state:
        page.goto(f"/jobs/{every_state[look]}")
        expect(page.locator(".timeline")).to_be_visible()
        assert violations(page) == []
    page.goto("/nowhere")
    expect(page.locator(".blank")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 2560])
def test_nothing_is_wider_than_the_screen(visit: Visit, every_state: dict[str, str], width: int) -> None:
    page = visit(viewport={"width": width, "height": 800})
    for path in ("/", f"/jobs/{every_state['resolved']}", f"/jobs/{every_state['error']}"):
        page.goto(path)
        expect(page.locator(".frame").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_dark_is_dark(visit: Visit, every_state: dict[str, str]) -> None:
    light, dark = visit(color_scheme="light"), visit(color_scheme="dark")
    for page in (light, dark):
        expect(page.locator(".frame").first).to_be_visible()
    assert brightness(light) > 200
    assert brightness(dark) < 50


def test_who_wants_no_motion_gets_none(calo: Calo, visit: Visit, every_state: dict[str, str]) -> None:
    moving, still = visit(), visit(reduced_motion="reduce")
    animations = "document.getAnimations().filter(one => one.playState === 'running').length"
    for page in (moving, still):
        expect(card(page, every_state["pending"])).to_be_visible()
    assert moving.evaluate(animations) > 0
    assert still.evaluate(animations) == 0


def test_nothing_jumps_when_jobs_resolve_and_images_arrive(calo: Calo, visit: Visit) -> None:
    job_id = calo.create("bread", delay_seconds=900)["id"]
    pages = [visit("/nowhere"), visit("/nowhere"), visit("/nowhere", viewport=PHONE)]
    for page, path in zip(pages, ("/", f"/jobs/{job_id}", "/"), strict=True):
        page.add_init_script(f"({SHIFTS})()")
        page.goto(path)
        is_live(page)
        expect(card(page, job_id)).to_be_visible()
    calo.start_now(job_id)
    for page in pages:
        expect(page.locator(f"[data-job='{job_id}'] .photo[data-state=shown]")).to_be_visible()
        shifts = page.evaluate("window.shifts")
        assert sum(value for value, _ in shifts) < 0.05, shifts  # "good" is 0.1: https://web.dev/articles/cls


def test_it_can_be_used_with_the_keyboard_alone(
    calo: Calo, visit: Visit, every_state: dict[str, str]
) -> None:
    page = visit()
    is_live(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the jobs")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Topic")).to_be_focused()
    page.keyboard.type("cheese plate")
    page.keyboard.press("Enter")
    says(page.locator(".card[data-job]", has_text="cheese plate"), "Ready")
    says(page.locator("[aria-live=polite].unseen"), "cheese plate: the photo is there")
    names = page.get_by_role("button").evaluate_all("all => all.map(one => one.ariaLabel ?? one.textContent)")
    assert len(set(names)) > 2
    assert "Cancel: soup" in names


def test_a_page_is_read_from_its_top_and_back_leads_to_where_one_was(
    calo: Calo, visit: Visit, every_state: dict[str, str]
) -> None:
    page = visit(viewport=PHONE)
    is_live(page)
    title = card(page, every_state["resolved"]).get_by_role("link", name="bread", exact=True)
    title.scroll_into_view_if_needed()
    depth = page.evaluate("scrollY")
    assert depth > 0
    title.click()
    expect(page.locator("main")).to_be_focused()
    assert page.evaluate("scrollY") == 0
    page.go_back()
    expect(title).to_be_in_viewport()
    page.wait_for_function("depth => scrollY === depth", arg=depth)


def test_images_are_lazy_and_kept_for_ever(calo: Calo, visit: Visit, every_state: dict[str, str]) -> None:
    more = [calo.create("bread")["id"] for _ in range(5)]
    page = visit()
    for job_id in more:
        says(card(page, job_id), "Ready")
    image = card(page, every_state["resolved"]).locator("img")
    expect(image).to_be_visible()
    assert int(image.get_attribute("width") or 0) > 0
    loading = page.locator(".photo img").evaluate_all("all => all.map(one => one.loading)")
    assert "lazy" in loading
    assert "eager" in loading
    stored = calo.http.get(image.get_attribute("src") or "")
    assert "immutable" in stored.headers["cache-control"]
    script = page.locator("script[type=module]").get_attribute("src") or ""
    assert "immutable" in calo.http.get(f"{calo.system.url}{script}").headers["cache-control"]
    assert calo.http.get(calo.system.url).headers["cache-control"] == "no-cache"
