"""Chromium's own EventSource reads the relay's stream, and finds its place again after a restart."""

import json
from typing import Any

from playwright.sync_api import Page

from tests.relay.conftest import change
from tests.relay.process import relay_process

LISTEN = """() => {
  window.seen = [];
  const source = new EventSource("/live");
  source.onmessage = (event) => window.seen.push([event.lastEventId, event.data]);
  source.addEventListener("resync", () => window.seen.push(["resync", null]));
  return new Promise((resolve) => { source.onopen = () => { source.onopen = null; resolve(); }; });
}"""


def seen(page: Page, count: int) -> Any:
    page.wait_for_function("(count) => window.seen.length >= count", arg=count, timeout=60_000)
    return page.evaluate("window.seen")


def test_a_browser_reads_every_event_and_resumes_with_its_cursor(page: Page) -> None:
    changes = [change(number, query="crème brûlée\n" * number, updated_at=number) for number in range(1, 4)]
    with relay_process() as relay:
        page.goto(f"{relay.url}/healthz")
        page.evaluate(LISTEN)
        relay.publish(*changes)
        expected = [[str(item.updated_at), item.to_line().decode()] for item in changes]
        assert seen(page, 3) == expected
        assert json.loads(expected[1][1])["query"] == "crème brûlée\n" * 2
    with relay_process(port=relay.port) as relay:
        # only a client that says where it was is told that this cannot be served
        assert seen(page, 4)[3] == ["resync", None]
        relay.publish(change(9))
        assert seen(page, 5)[4] == [str(change(9).updated_at), change(9).to_line().decode()]
