"""The deliveries of a webhook on the job's page."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_looks import violations
from tests.browser.web_app import expect_text
from tests.integration.conftest import Calo


@pytest.fixture
def failing_once(calo: Calo) -> Iterator[str]:
    """Yield the URL of a receiver that refuses its first request."""
    answers = [503]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(answers.pop() if answers else 204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    address = calo.system.settings["webhook_private_hosts"]
    host, port = address.split(":")
    with ThreadingHTTPServer((host, int(port)), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{address}/hook?token=secret"
        server.shutdown()


def test_the_job_page_shows_deliveries_and_sends_them_again(
    calo: Calo, visit: Visit, failing_once: str
) -> None:
    page = visit(f"/jobs/{calo.create(notify=failing_once)['id']}", viewport={"width": 320, "height": 700})
    deliveries = page.locator(".deliveries")
    expect_text(deliveries, "Not delivered: 503 Service Unavailable")
    expect_text(deliveries, "Next attempt")
    expect_text(deliveries, "Delivered: 204 No Content")
    expect(deliveries.get_by_text("Next attempt")).to_be_hidden()
    expect(deliveries).not_to_contain_text("secret")
    button = deliveries.get_by_role("button", name=re.compile("Send again"))
    button.focus()
    page.keyboard.press("Enter")
    expect(deliveries.get_by_text("Delivered: 204 No Content")).to_have_count(2)
    expect(button).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []


def test_a_job_without_webhook_shows_no_deliveries(calo: Calo, visit: Visit) -> None:
    with calo.live() as live:
        job = live.wait_for_end(calo.create()["id"])
    page = visit(f"/jobs/{job['id']}")
    with page.expect_response(f"**/jobs/{job['id']}/deliveries"):
        expect_text(page.locator(".timeline"), "Ready")
    expect(page.locator(".deliveries")).to_have_count(0)
