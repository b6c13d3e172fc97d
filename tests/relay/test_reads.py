"""What one address may make the relay read when it resumes."""

from functools import partial

import httpx
import pytest

from functions.sse_relay import admission
from functions.sse_relay.resume import RESUME_READS, count_reads
from functions.sse_relay.subscription import Subscription
from tests.relay.clients import read
from tests.relay.conftest import NOW, RunningRelay, change, job_id, run, running


def test_only_streams_that_read_the_table_count() -> None:
    async def test() -> None:
        async with running() as relay:
            event_id = f"{NOW}.{relay.relay.hub.relay}"
            relay.publish(change(1))
            count = partial(count_reads, relay.relay.hub)
            assert count(Subscription(frozenset([job_id(1), job_id(2)]))) == 2
            counts = [count(Subscription(cursor=cursor)) for cursor in ("", "junk", f"{event_id}.1")]
            assert counts == [0, 0, 0]
            for cursor in (str(NOW), event_id, f"{event_id}.{10**12}", f"{NOW}.another.1"):
                assert count(Subscription(cursor=cursor)) == RESUME_READS
                assert count(Subscription(cursor=cursor, owner=None)) == 0, "no index has all owners"

    run(test())


def test_an_address_that_resumes_from_the_table_too_often_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "READ_BURST", RESUME_READS)
    monkeypatch.setattr(admission, "READS_PER_SECOND", 0)

    async def status(relay: RunningRelay) -> int:
        async with (
            httpx.AsyncClient() as client,
            client.stream("GET", f"{relay.url}/live", params={"lastEventId": str(NOW)}) as response,
        ):
            return response.status_code

    async def test() -> None:
        async with running(clock=lambda: NOW) as relay:
            relay.history.changed = [change(1)]
            assert len(await read(relay, 1, lastEventId=str(NOW))) == 1
            assert await status(relay) == 429

    run(test())
