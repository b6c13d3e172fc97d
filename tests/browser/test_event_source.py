"""Chromium's EventSource reads the relay's stream and resumes after a restart of the relay."""

import json
from typing import Any

from playwright.sync_api import Page

from tests.relay.conftest import change
from tests.relay.process import relay_process

LISTEN = """() => {
  window.received = [];
  const source = new EventSource("/live");
  source.onmessage = (event) => window.received.push([event.lastEventId, event.data]);
  source.addEventListener("resync", () => window.received.push(["resync", null]));
  return new Promise((resolve) => { source.onopen = () => { source.onopen = null; resolve(); }; });
}"""


def received(page: Page, count: int) -> Any:
    """Wait for `count` events. Return them as pairs of event id and data."""
    page.wait_for_function("(count) => window.received.length >= count", arg=count, timeout=60_000)
    return page.evaluate("window.received")


def test_a_browser_reads_every_event_and_resumes_with_its_cursor(page: Page) -> None:
    changes = [
        change(number, input={"query": "crème brûlée\n" * number}, updated_at=number)
        for number in range(1, 4)
    ]
    with relay_process() as relay:
        page.goto(f"{relay.url}/healthz")
        page.evaluate(LISTEN)
        relay.publish(*changes)
        events = received(page, 3)
        assert [data for _, data in events] == [job.to_line().decode() for job in changes]
        times, _, positions = zip(*(event_id.split(".") for event_id, _ in events), strict=True)
        assert times == ("1", "2", "3")
        assert sorted(set(positions), key=int) == list(positions)
        assert json.loads(events[1][1])["input"]["query"] == "crème brûlée\n" * 2
    with relay_process(port=relay.port) as relay:
        # the new relay cannot resume from the cursor that the client sent
        assert received(page, 4)[3] == ["resync", None]
        relay.publish(change(9))
        assert received(page, 5)[4][1] == change(9).to_line().decode()
