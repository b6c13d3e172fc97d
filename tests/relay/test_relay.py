"""`GET /live` over real sockets, read by an independent client: what a stream is sent, and how it ends."""

import asyncio
import re

import httpx
import pytest
from botocore.exceptions import ClientError

from functions.common.clock import now_ms
from functions.sse_relay import relay as relay_module
from functions.sse_relay.cursor import LATE_MS, MAX_AGE_MS, OVERLAP_MS, parse
from functions.sse_relay.job_change import unchunk
from tests.relay.clients import read, send_raw, versions
from tests.relay.conftest import NOW, change, job_id, run, running


def test_every_stream_gets_a_change() -> None:
    async def test() -> None:
        async with running() as relay:
            readers = [asyncio.create_task(read(relay, 1)) for _ in range(3)]
            await relay.streams(3)
            relay.publish(change(1))
            for events in await asyncio.gather(*readers):
                assert versions(events) == [(job_id(1), 1)]
                assert re.fullmatch(rf"{NOW}\.relay\.\d+", events[0].id)
                assert events[0].event == "message"

    run(test())


def test_requested_jobs_are_sent_in_their_current_state_and_then_live() -> None:
    async def test() -> None:
        async with running() as relay:
            relay.history.jobs = {job_id(1): change(1, 4)}
            reader = asyncio.create_task(read(relay, 2, job=f"{job_id(1)},{job_id(2)}"))
            await relay.streams(1)
            relay.publish(change(3), change(2, 1))
            assert versions(await reader) == [(job_id(1), 4), (job_id(2), 1)]

    run(test())


def test_a_change_during_a_read_of_the_table_is_sent_exactly_once() -> None:
    async def test() -> None:
        async with running() as relay:
            relay.history.jobs = {job_id(1): change(1, 1)}
            relay.history.on_read = lambda: relay.publish(change(1, 1), change(1, 2))
            assert versions(await read(relay, 2, job=job_id(1))) == [(job_id(1), 1), (job_id(1), 2)]

    run(test())


def test_a_version_read_from_the_table_is_never_followed_by_an_older_one() -> None:
    async def test() -> None:
        async with running() as relay:
            relay.history.jobs = {job_id(1): change(1, 3, updated_at=now_ms())}
            reader = asyncio.create_task(read(relay, 2, job=job_id(1)))
            await relay.streams(1)
            relay.publish(change(1, 2), change(1, 4))
            assert versions(await reader) == [(job_id(1), 3), (job_id(1), 4)]

    run(test())


@pytest.mark.parametrize("as_header", [True, False])
def test_a_stream_resumes_from_a_cursor(as_header: bool) -> None:
    async def test() -> None:
        async with running(clock=lambda: NOW) as relay:
            relay.history.changed = [change(1, 2), change(2, 1)]
            headers = {"Last-Event-ID": str(NOW)} if as_header else None
            query = {} if as_header else {"lastEventId": str(NOW)}
            assert versions(await read(relay, 2, headers, **query)) == [(job_id(1), 2), (job_id(2), 1)]
            assert relay.history.starts == [NOW - OVERLAP_MS]

    run(test())


@pytest.mark.parametrize(
    "cursor",
    [
        "junk",
        "-1",
        "1e3",
        "9" * 40,
        "²",
        "1.",
        "1..2",
        f"{NOW}.RELAY.1",
        f"{NOW}.relay.1.2",
        f"{NOW}.relay.x",
    ],
)
def test_an_invalid_cursor_causes_a_resync(cursor: str) -> None:
    async def test() -> None:
        async with running() as relay:
            (event,) = await read(relay, 1, lastEventId=cursor)
            assert event.event == "resync"
            assert relay.history.starts == []

    run(test())


def test_a_cursor_that_the_history_cannot_serve_causes_a_resync_and_then_live_events() -> None:
    async def test() -> None:
        async with running() as relay:
            relay.history.changed = None
            reader = asyncio.create_task(read(relay, 2, lastEventId=str(NOW)))
            await relay.streams(1)
            relay.publish(change(1))
            resync, event = await reader
            assert resync.event == "resync"
            assert versions([event]) == [(job_id(1), 1)]

    run(test())


@pytest.mark.parametrize("suffix", ["", ".other.1", f".relay.{10**12}", ".relay"])
@pytest.mark.parametrize(
    ("age", "is_served"),
    [(-OVERLAP_MS - 1, False), (-OVERLAP_MS, True), (0, True), (MAX_AGE_MS, True), (MAX_AGE_MS + 1, False)],
)
def test_a_cursor_in_the_future_or_of_the_day_before_causes_a_resync(
    suffix: str, age: int, is_served: bool
) -> None:
    async def test() -> None:
        async with running(clock=lambda: NOW) as relay:
            relay.history.changed = [change(1)]
            (event,) = await read(relay, 1, lastEventId=f"{NOW - age}{suffix}")
            assert event.event == ("message" if is_served else "resync")
            overlap = LATE_MS if suffix else OVERLAP_MS
            assert relay.history.starts == ([NOW - age - overlap] if is_served else [])

    run(test())


def test_a_stream_resumes_from_an_event_of_this_relay_without_reading_the_table() -> None:
    async def test() -> None:
        async with running(clock=lambda: NOW) as relay:
            reader = asyncio.create_task(read(relay, 1))
            await relay.streams(1)
            relay.publish(change(1))
            (seen,) = await reader
            relay.publish(change(2, updated_at=NOW - LATE_MS), change(3), change(2, 2))
            events = await read(relay, 3, lastEventId=seen.id)
            assert versions(events) == [(job_id(2), 1), (job_id(3), 1), (job_id(2), 2)]
            positions = [parse(event.id).position or 0 for event in [seen, *events]]  # type: ignore[union-attr]
            assert positions == sorted(set(positions))
            assert relay.relay.hub.relay == "relay"
            assert relay.history.starts == []

    run(test())


@pytest.mark.parametrize("query", ["jobs=x", "Job=x", "job=&x=1", "%F0=1"])
def test_an_unknown_parameter_is_refused_and_named(query: str) -> None:
    async def test() -> None:
        async with running() as relay, httpx.AsyncClient() as client:
            response = await client.get(f"{relay.url}/live?{query}")
            assert response.status_code == 400
            assert "is not a parameter; use job or lastEventId" in response.json()["detail"]

    run(test())


@pytest.mark.parametrize(
    "query", ["job=", "job=x", "job=1,2", f"job={'&job='.join(job_id(n) for n in range(101))}"]
)
def test_invalid_job_ids_are_refused(query: str) -> None:
    async def test() -> None:
        async with running() as relay, httpx.AsyncClient() as client:
            response = await client.get(f"{relay.url}/live?{query}")
            assert response.status_code == 400
            assert response.headers["content-type"].startswith("application/problem+json")
            assert response.json()["errors"][0]["field"] == "job"

    run(test())


def test_the_first_bytes_are_sent_immediately_with_a_jittered_retry() -> None:
    async def test() -> None:
        async with running(uniform=lambda low, _: low) as relay:
            reader, writer = await send_raw(relay, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"Content-Type: text/event-stream; charset=utf-8\r\n" in head
            assert b"Cache-Control: no-cache, no-transform\r\n" in head
            assert b"Access-Control-Allow-Origin: *\r\n" in head
            assert b"Content-Encoding" not in head
            first = b"c\r\nretry: 1000\n\r\n"
            assert await reader.readexactly(len(first)) == first
            writer.close()

    run(test())


def test_an_http_1_0_client_gets_no_chunks() -> None:
    async def test() -> None:
        async with running(uniform=lambda low, _: low) as relay:
            reader, writer = await send_raw(relay, b"GET /live HTTP/1.0\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            await relay.streams(1)
            (event,) = relay.publish(change(1))
            expected = b"retry: 1000\n" + unchunk(event.chunk)
            assert await reader.readexactly(len(expected)) == expected
            writer.close()

    run(test())


def test_a_silent_stream_gets_a_heartbeat() -> None:
    async def test() -> None:
        async with running(heartbeat=0.05) as relay:
            reader, writer = await send_raw(relay, b"GET /live HTTP/1.0\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            assert (await reader.readuntil(b"\n")).startswith(b"retry: ")
            assert await reader.readexactly(4) == b":\n:\n"
            writer.close()

    run(test())


def test_a_stream_ends_properly_in_the_last_tenth_of_its_lifetime() -> None:
    async def test() -> None:
        ranges: list[tuple[float, float]] = []

        def uniform(low: float, high: float) -> float:
            ranges.append((low, high))
            return low

        async with running(lifetime=0.2, uniform=uniform) as relay:
            start = asyncio.get_running_loop().time()
            reader, writer = await send_raw(relay, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.read()).endswith(b"0\r\n\r\n")
            assert 0.17 < asyncio.get_running_loop().time() - start < 10
            assert (0.9, 1.0) in ranges
            await relay.streams(0)
            writer.close()

    run(test())


def test_the_stream_of_a_client_that_disconnects_is_removed() -> None:
    async def test() -> None:
        async with running() as relay:
            _, writer = await send_raw(relay, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
            await relay.streams(1)
            writer.close()
            await relay.streams(0)

    run(test())


@pytest.mark.parametrize("query", ["", f"?job={job_id(1)}", f"?lastEventId={NOW}"])
def test_a_stream_begins_when_nothing_can_be_missing_between_index_and_feed(
    query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that is published while the relay subscribes may never arrive: the index has it later."""
    monkeypatch.setattr(relay_module, "INDEX_LAG_SECONDS", 0.2)

    async def test() -> None:
        async with running(clock=lambda: NOW) as relay:
            now = asyncio.get_running_loop().time
            relay.relay.set_healthy_in(0.1)
            complete_at = now() + 0.3
            reader, writer = await send_raw(relay, f"GET /live{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            await reader.readuntil(b"retry: ")
            assert relay.relay.starting
            await relay.streams(1)
            assert now() >= complete_at
            (event,) = relay.publish(change(1))
            assert (await reader.readuntil(event.chunk)).endswith(event.chunk)
            writer.close()

    run(test())


def test_a_stream_that_waits_for_its_relay_to_settle_gets_what_changed_meanwhile() -> None:
    async def test() -> None:
        async with running(clock=lambda: NOW) as relay:
            now = asyncio.get_running_loop().time
            relay.relay._complete_at = now() + 0.3
            relay.history.changed = [change(1)]  # it was not delivered, but it is in the table
            assert versions(await read(relay, 1)) == [(job_id(1), 1)]
            assert relay.history.starts == [NOW - OVERLAP_MS]

    run(test())


def test_an_unexpected_error_while_a_stream_starts_ends_the_stream() -> None:
    async def test() -> None:
        async with running() as relay:
            relay.history.error = ZeroDivisionError("a bug")
            reader, writer = await send_raw(relay, f"GET /live?job={job_id(1)} HTTP/1.0\r\n\r\n".encode())
            assert b"data:" not in await reader.read()
            writer.close()

    run(test())


def test_a_stream_whose_backlog_cannot_be_read_is_closed_and_may_reconnect() -> None:
    async def test() -> None:
        async with running() as relay:
            relay.history.error = ClientError({"Error": {"Code": "x"}}, "BatchGetItem")
            request = f"GET /live?job={job_id(1)} HTTP/1.1\r\nHost: x\r\n\r\n"
            reader, writer = await send_raw(relay, request.encode())
            assert b"data:" not in await reader.read()
            writer.close()
            relay.history.error = None
            relay.history.jobs = {job_id(1): change(1)}
            assert versions(await read(relay, 1, job=job_id(1))) == [(job_id(1), 1)]

    run(test())
