"""What people do besides waiting: find their way, use the tools, change many jobs, lose the network."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.web_app import card, create_jobs, expect_live, expect_text, job_ids, record_requests
from tests.integration.conftest import Calo, eventually

ANNOUNCED = "[aria-live=polite].visually-hidden"


def test_a_jobs_page_has_tools_and_the_way_back_leads_to_the_same_place(
    calo: Calo, visit: Visit, tmp_path: Path
) -> None:
    topic = f"bread {uuid4().hex[:6]}"
    ids = [calo.create(topic)["id"] for _ in range(3)]
    eventually(lambda: all(calo.get(f"jobs/{job_id}").json()["status"] == "resolved" for job_id in ids))
    page = visit("/?status=resolved", permissions=["clipboard-read", "clipboard-write"])
    expect(page).to_have_title("Ready jobs · Calo")
    expect_live(page)
    expect(page.locator(ANNOUNCED)).to_be_attached()  # the code that is loaded when the browser is idle
    title = card(page, ids[1]).get_by_role("link", name=topic)
    expect(title).to_have_attribute("title", topic)
    box = card(page, ids[1]).locator("img").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 20, box["y"] + 20)  # the photo is a part of the link
    expect(page).to_have_title(f"✓ {topic} · Calo")

    page.get_by_role("button", name="Copy id").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == ids[1]
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_function("async link => (await navigator.clipboard.readText()) === link", arg=page.url)
    photo = calo.get(f"jobs/{ids[1]}").json()["output"]["regular"]
    expect(page.get_by_role("link", name="Open original")).to_have_attribute("href", photo)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "photo")
    assert (tmp_path / "photo").read_bytes() == calo.http.get(photo).content
    page.get_by_text("as JSON").click()
    assert json.loads(page.locator("pre").inner_text())["id"] == ids[1]

    page.get_by_role("link", name="Older job").click()
    expect(page).to_have_url(f"{calo.system.url}/jobs/{ids[0]}")
    page.get_by_role("link", name="Newer job").click()
    expect(page).to_have_url(f"{calo.system.url}/jobs/{ids[1]}")
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{calo.system.url}/?status=resolved")
    expect(title).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_label("Topic")).to_be_focused()

    page.goto(f"/jobs/{ids[0]}")
    page.get_by_role("button", name=f"Another photo of {topic}").click()
    expect(page).to_have_url(f"{calo.system.url}/")
    expect(page.locator(".card[data-job]", has_text=topic).filter(has_text="Ready")).to_have_count(4)
    expect_text(page.locator(ANNOUNCED), f"Photo of {topic} is ready")


def test_all_jobs_of_a_status_can_be_changed_and_hopeless_ones_edited(calo: Calo, visit: Visit) -> None:
    page = visit("/nowhere")
    expect(page.locator(".live")).to_be_hidden()  # nothing here is live
    topic = f"soup {uuid4().hex[:6]}"
    ids = [calo.create(topic, delay_seconds=900)["id"] for _ in range(3)]
    page.goto("/?status=pending")
    expect(card(page, ids[0])).to_be_visible()
    eventually(lambda: calo.get("stats").json()["counts"]["pending"] >= 3)
    bulk = page.locator(".bulk-change")
    bulk.get_by_role("button", name="Cancel all pending jobs").click()
    expect(bulk.get_by_role("group")).to_contain_text("pending jobs?")
    keep = bulk.get_by_role("button", name="Keep them")
    expect(keep).to_be_focused()
    keep.click()
    assert calo.get(f"jobs/{ids[0]}").json()["status"] == "pending"
    bulk.get_by_role("button", name="Cancel all pending jobs").click()
    bulk.get_by_role("button", name="Cancel them").click()
    expect_text(bulk, "Cancelled ")
    for job_id in ids:
        expect(card(page, job_id)).to_have_count(0)
        assert calo.get(f"jobs/{job_id}").json()["status"] == "cancelled"

    failed = calo.create(f"nothing {topic}")["id"]
    page.goto(f"/jobs/{failed}")
    expect_text(page.locator(".failure"), "Ask for something more general")
    expect_text(page.locator(".failure"), "no_photos · 1 attempt")
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    page.get_by_role("link", name="Edit topic").click()
    field = page.get_by_label("Topic")
    expect(field).to_have_value(f"nothing {topic}")
    expect(field).to_be_focused()
    field.fill(topic)
    field.press("Enter")
    expect(page).to_have_url(f"{calo.system.url}/")
    expect(page.locator(".card[data-job]", has_text=topic).filter(has_text="Ready")).to_have_count(1)
    page.goto("/?cursor=invalid")
    expect_text(page.locator(".empty-state"), "This link is no longer valid")
    page.get_by_role("link", name="Newest jobs").click()
    expect(card(page, failed)).to_be_visible()


def test_what_is_requested_without_a_network_is_sent_later_and_announced_once(
    calo: Calo, visit: Visit
) -> None:
    page = visit()
    expect_live(page)
    expect(page.locator(ANNOUNCED)).to_be_attached()
    page.evaluate("Math.random = () => 0")  # the shortest waits between attempts
    topic = f"tea {uuid4().hex[:6]}"

    def fail(route: Any) -> None:
        route.abort() if route.request.method == "POST" else route.fallback()

    page.route("**/api/jobs**", fail)
    create_jobs(page, topic, count="3")
    expect(page.locator(".card", has_text=topic).filter(has_text="Not sent.")).to_have_count(3)
    page.reload()
    page.unroute("**/api/jobs**")
    jobs = page.locator(".card[data-job]", has_text=topic)
    expect(jobs.filter(has_text="Ready")).to_have_count(3)
    # jobs that end together are announced together, also on the page of another job
    create_jobs(page, topic, count="3", delay="900")
    delayed = page.locator(".card[data-job]", has_text=topic).filter(has_text="Starts at")
    expect(delayed).to_have_count(3)
    ids = job_ids(page)[:3]
    page.locator(".card[data-job] h2 a").last.click()
    expect(page.locator(".timeline")).to_be_visible()
    expect_live(page)
    for job_id in ids:
        calo.http.delete(f"jobs/{job_id}")
    expect_text(page.locator(ANNOUNCED), f"3 photos of {topic} were cancelled")
    page.get_by_role("link", name="All jobs").click()

    # the next time, the connection comes back while the page is open
    page.evaluate("Math.random = () => 0")
    other = f"cake {uuid4().hex[:6]}"
    page.route("**/api/live**", lambda route: route.abort())  # a stream that is being opened would stay open
    page.context.set_offline(True)
    create_jobs(page, other)
    expect_text(page.locator(".card", has_text=other), "Not sent.")
    page.get_by_role("link", name="Failed").click()
    expect_text(page.locator(".stale-notice"), "This device is offline. This may be out of date.")
    posts = record_requests(page, "/api/jobs")
    page.go_back()
    page.unroute("**/api/live**")
    page.context.set_offline(False)
    expect_text(page.locator(".card[data-job]", has_text=other), "Ready")
    assert posts
