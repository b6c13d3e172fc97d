"""`/live` over real sockets, read by an independent client: what a stream is sent, and how it ends."""

import asyncio

import httpx
import pytest
from botocore.exceptions import ClientError

from functions.common.clock import now_ms
from functions.sse_relay.change import plain
from functions.sse_relay.feed import LineFeed, SqsFeed
from functions.sse_relay.history import MAX_AGE_MS
from tests.relay.clients import raw, read, versions
from tests.relay.conftest import NOW, change, job_id, run, running


def test_everyone_sees_a_change_at_once() -> None:
    async def test() -> None:
        async with running() as relay:
            readers = [asyncio.create_task(read(relay, 1)) for _ in range(3)]
            await relay.streams(3)
            relay.publish(change(1))
            for events in await asyncio.gather(*readers):
                assert versions(events) == [(job_id(1), 1)]
                assert events[0].id == str(NOW)
                assert events[0].event == "message"

    run(test())


def test_named_jobs_come_first_as_they_are_now_then_live() -> None:
    async def test() -> None:
        async with running() as relay:
            relay.history.jobs = {job_id(1): change(1, 4)}
            reader = asyncio.create_task(read(relay, 2, job=f"{job_id(1)},{job_id(2)}"))
            await relay.streams(1)
            relay.publish(change(3), change(2, 1))
            assert versions(await reader) == [(job_id(1), 4), (job_id(2), 1)]

    run(test())


def test_a_change_while_the_table_is_read_is_neither_lost_nor_doubled() -> None:
    async def test() -> None:
        async with running() as relay:
            relay.history.jobs = {job_id(1): change(1, 1)}
            relay.history.reading = lambda: relay.publish(change(1, 1), change(1, 2))
            assert versions(await read(relay, 2, job=job_id(1))) == [(job_id(1), 1), (job_id(1), 2)]

    run(test())


def test_a_state_read_from_the_table_is_never_followed_by_an_older_one() -> None:
    async def test() -> None:
        async with running() as relay:
            relay.history.jobs = {job_id(1): change(1, 3, updated_at=now_ms())}
            reader = asyncio.create_task(read(relay, 2, job=job_id(1)))
            await relay.streams(1)
            relay.publish(change(1, 2), change(1, 4))
            assert versions(await reader) == [(job_id(1), 3), (job_id(1), 4)]

    run(test())


@pytest.mark.parametrize("as_header", [True, False])
def test_the_feed_resumes_from_a_cursor(as_header: bool) -> None:
    async def test() -> None:
        async with running() as relay:
            relay.history.changed = [change(1, 2), change(2, 1)]
            headers = {"Last-Event-ID": str(NOW)} if as_header else None
            query = {} if as_header else {"lastEventId": str(NOW)}
            assert versions(await read(relay, 2, headers, **query)) == [(job_id(1), 2), (job_id(2), 1)]
            assert relay.history.cursors == [NOW]

    run(test())


@pytest.mark.parametrize("cursor", ["junk", "-1", "1e3", "9" * 40, "²"])
def test_a_cursor_that_cannot_be_read_asks_for_a_resync(cursor: str) -> None:
    async def test() -> None:
        async with running() as relay:
            (event,) = await read(relay, 1, lastEventId=cursor)
            assert event.event == "resync"
            assert relay.history.cursors == []

    run(test())


def test_a_cursor_too_far_back_asks_for_a_resync_and_then_goes_on_live() -> None:
    async def test() -> None:
        async with running() as relay:
            relay.history.changed = None
            reader = asyncio.create_task(read(relay, 2, lastEventId=str(NOW - MAX_AGE_MS)))
            await relay.streams(1)
            relay.publish(change(1))
            resync, event = await reader
            assert resync.event == "resync"
            assert versions([event]) == [(job_id(1), 1)]

    run(test())


@pytest.mark.parametrize(
    "query", ["job=", "job=x", "job=1,2", f"job={'&job='.join(job_id(n) for n in range(101))}"]
)
def test_bad_names_are_refused(query: str) -> None:
    async def test() -> None:
        async with running() as relay, httpx.AsyncClient() as client:
            answer = await client.get(f"{relay.url}/live?{query}")
            assert answer.status_code == 400
            assert answer.headers["content-type"].startswith("application/problem+json")
            assert answer.json()["errors"][0]["field"] == "job"

    run(test())


def test_the_first_bytes_come_at_once_with_a_jittered_retry() -> None:
    async def test() -> None:
        async with running(uniform=lambda low, _: low) as relay:
            reader, writer = await raw(relay, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"Content-Type: text/event-stream\r\n" in head
            assert b"Cache-Control: no-cache, no-transform\r\n" in head
            assert b"Access-Control-Allow-Origin: *\r\n" in head
            assert b"Content-Encoding" not in head
            first = b"d\r\nretry: 1000\n\n\r\n"
            assert await reader.readexactly(len(first)) == first
            writer.close()

    run(test())


def test_an_http_1_0_client_gets_no_chunks() -> None:
    async def test() -> None:
        async with running(uniform=lambda low, _: low) as relay:
            reader, writer = await raw(relay, b"GET /live HTTP/1.0\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            await relay.streams(1)
            relay.publish(change(1))
            expected = b"retry: 1000\n\n" + plain(change(1).chunk)
            assert await reader.readexactly(len(expected)) == expected
            writer.close()

    run(test())


def test_a_silent_stream_gets_a_comment() -> None:
    async def test() -> None:
        async with running(silence=0.05) as relay:
            reader, writer = await raw(relay, b"GET /live HTTP/1.0\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            assert (await reader.readuntil(b"\n\n")).startswith(b"retry: ")
            assert await reader.readexactly(6) == b":\n\n:\n\n"
            writer.close()

    run(test())


def test_a_stream_ends_in_order_in_the_last_tenth_of_its_lifetime() -> None:
    async def test() -> None:
        asked: list[tuple[float, float]] = []

        def uniform(low: float, high: float) -> float:
            asked.append((low, high))
            return low

        async with running(lifetime=0.2, uniform=uniform) as relay:
            begin = asyncio.get_running_loop().time()
            reader, writer = await raw(relay, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.read()).endswith(b"0\r\n\r\n")
            assert 0.17 < asyncio.get_running_loop().time() - begin < 10
            assert (0.9, 1.0) in asked
            await relay.streams(0)
            writer.close()

    run(test())


def test_a_client_that_leaves_is_forgotten() -> None:
    async def test() -> None:
        async with running() as relay:
            _, writer = await raw(relay, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
            await relay.streams(1)
            writer.close()
            await relay.streams(0)

    run(test())


def test_draining_lets_all_streams_go_and_takes_no_new_ones() -> None:
    async def test() -> None:
        async with running(uniform=lambda low, _: low) as relay, httpx.AsyncClient() as client:
            clients = [await raw(relay, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(3)]
            await relay.streams(3)
            await relay.relay.drain(0.05)
            for reader, writer in clients:
                assert (await reader.read()).endswith(b"0\r\n\r\n")
                writer.close()
            answer = await client.get(f"{relay.url}/live")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert (await client.get(f"{relay.url}/healthz")).status_code == 503

    run(test())


def test_a_relay_is_healthy_only_once_its_subscription_is_honoured() -> None:
    async def test() -> None:
        async with running() as relay, httpx.AsyncClient() as client:
            relay.relay.healthy_in(0.2)
            answer = await client.get(f"{relay.url}/healthz")
            assert (answer.status_code, answer.text) == (503, "starting")
            while answer.status_code == 503:
                answer = await client.get(f"{relay.url}/healthz")
            assert (answer.status_code, answer.text) == (200, "ok")
        assert (SqsFeed.settle_seconds, LineFeed.settle_seconds) == (3, 0)

    run(test())


def test_the_stages_name_may_be_part_of_the_path() -> None:
    """API Gateway sends it along to a private integration."""

    async def test() -> None:
        async with running() as relay:
            relay.history.jobs = {job_id(1): change(1, 4)}
            request = f"GET /api/live?job={job_id(1)} HTTP/1.0\r\n\r\n"
            reader, writer = await raw(relay, request.encode())
            assert plain(change(1, 4).chunk) in await reader.readuntil(b"}\n\n")
            writer.close()

    run(test())


def test_behind_a_proxy_streams_are_counted_by_the_address_in_its_header() -> None:
    async def test() -> None:
        async with running(max_per_address=2, address_header="x-real-ip") as relay:
            statuses, writers = [], []
            for address in ("1.1.1.1", "1.1.1.1", "1.1.1.1", "2.2.2.2"):
                addresses = f"X-Forwarded-For: 9.9.9.9\r\nX-Real-Ip: {address}\r\n"
                request = f"GET /live HTTP/1.1\r\nHost: x\r\n{addresses}\r\n"
                reader, writer = await raw(relay, request.encode())
                statuses.append(int((await reader.readline()).split()[1]))
                writers.append(writer)
            for writer in writers:
                writer.close()
            assert statuses == [200, 200, 429, 200]

    run(test())


def test_only_get_is_served_and_only_here() -> None:
    async def test() -> None:
        async with running() as relay, httpx.AsyncClient() as client:
            for method in ("POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
                answer = await client.request(method, f"{relay.url}/live")
                assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
            assert (await client.get(f"{relay.url}/live/x")).status_code == 404
            assert (await client.get(f"{relay.url}/healthz")).text == "ok"

    run(test())


def test_a_stream_whose_past_cannot_be_read_is_closed_and_comes_back() -> None:
    async def test() -> None:
        async with running() as relay:
            relay.history.error = ClientError({"Error": {"Code": "x"}}, "BatchGetItem")
            request = f"GET /live?job={job_id(1)} HTTP/1.1\r\nHost: x\r\n\r\n"
            reader, writer = await raw(relay, request.encode())
            assert b"data:" not in await reader.read()
            writer.close()
            relay.history.error = None
            relay.history.jobs = {job_id(1): change(1)}
            assert versions(await read(relay, 1, job=job_id(1))) == [(job_id(1), 1)]

    run(test())


def test_metrics_tell_what_happened() -> None:
    async def test() -> None:
        async with running(clock=lambda: NOW + 300) as relay, httpx.AsyncClient() as client:
            events = asyncio.create_task(read(relay, 1))
            await relay.streams(1)
            relay.publish(change(1), change(1))
            await events
            await relay.streams(0)
            await client.get(f"{relay.url}/live?job=x")
            text = (await client.get(f"{relay.url}/metrics")).text
            lines = set(text.splitlines())
            assert lines >= {
                "relay_events_in_total 1.0",
                "relay_events_out_total 1.0",
                "relay_streams 0.0",
                'relay_requests_refused_total{status="400"} 1.0',
                'relay_feed_lag_seconds_bucket{le="0.25"} 0.0',
                'relay_feed_lag_seconds_bucket{le="0.5"} 1.0',
            }

    run(test())
