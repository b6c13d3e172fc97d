"""How a relay is composed from its parts, run in the test's own process with a fake feed."""

import argparse
import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

import httpx
import pytest

from functions.sse_relay import process
from functions.sse_relay.__main__ import arguments
from functions.sse_relay.ecs_task import set_when_stopping
from functions.sse_relay.feed import OnChanges, OnEnd
from functions.sse_relay.relay import Relay
from local.processes import free_ports
from tests.relay.conftest import run
from tests.relay.metadata import Metadata

LIVE = b"GET /live HTTP/1.1\r\nHost: x\r\n"


class Feed:
    """Has no changes; `end` ends it."""

    def __init__(self, settle_seconds: float = 0.0) -> None:
        self.settle_seconds = settle_seconds
        self.end: OnEnd = lambda: None
        self.stopped = False

    async def start(self, on_changes: OnChanges, on_end: OnEnd) -> None:
        self.end = on_end

    def is_alive(self) -> bool:
        return True

    async def stop(self) -> None:
        self.stopped = True


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Restore the garbage collector, which a relay tunes for its process."""
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def options(monkeypatch: pytest.MonkeyPatch, *extra: str) -> argparse.Namespace:
    (port,) = free_ports(1)
    command = ["relay", "--feed", "stdin", "--host", "127.0.0.1", "--port", str(port), *extra]
    monkeypatch.setattr(sys, "argv", command)
    return arguments()


@asynccontextmanager
async def serving(
    monkeypatch: pytest.MonkeyPatch, feed: Feed, *extra: str
) -> AsyncIterator[tuple[int, asyncio.Task[None]]]:
    """Run a relay; yields its port and task. It stops when the feed ends."""
    monkeypatch.setattr(process, "_open_feed", lambda *_: feed)
    parsed = options(monkeypatch, "--max-streams", "10", "--drain-seconds", "0", *extra)
    task = asyncio.create_task(process.run_relay(parsed))
    try:
        while not task.done():
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", parsed.port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.005)
            else:
                writer.close()
                break
        yield parsed.port, task
    finally:
        feed.end()
        await task


async def connect(port: int, headers: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(LIVE + headers + b"\r\n")
    return reader, writer


async def health(port: int) -> tuple[int, str]:
    async with httpx.AsyncClient() as client:
        response = await client.get(f"http://127.0.0.1:{port}/healthz")
        return response.status_code, response.text


@pytest.mark.parametrize(("settle_seconds", "response"), [(0.0, (200, "ok")), (1000.0, (503, "starting"))])
def test_health_checks_fail_until_the_feed_has_settled_but_streams_open(
    monkeypatch: pytest.MonkeyPatch, settle_seconds: float, response: tuple[int, str]
) -> None:
    async def test() -> None:
        feed = Feed(settle_seconds)
        async with serving(monkeypatch, feed) as (port, _):
            assert await health(port) == response
            reader, writer = await connect(port)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            writer.close()
        assert feed.stopped

    run(test())


@pytest.mark.parametrize(
    ("extra", "statuses"),
    [
        (("--address-header", "X-Calo-Source-Ip"), [200, 200, 429]),
        (("--trusted-proxies", "1"), [200, 429, 429]),
    ],
)
def test_the_options_determine_how_streams_are_counted(
    monkeypatch: pytest.MonkeyPatch, extra: tuple[str, ...], statuses: list[int]
) -> None:
    async def test() -> None:
        async with serving(monkeypatch, Feed(), "--max-per-address", "1", *extra) as (port, _):
            received, writers = [], []
            for address in (b"1.1.1.1", b"2.2.2.2", b"2.2.2.2"):
                headers = b"X-Calo-Source-Ip: %s\r\nX-Forwarded-For: 9.9.9.9\r\n" % address
                reader, writer = await connect(port, headers)
                received.append(int((await reader.readline()).split()[1]))
                writers.append(writer)
            assert received == statuses
            for writer in writers:
                writer.close()

    run(test())


def test_a_relay_stops_with_an_error_if_its_background_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_: Relay) -> None:
        raise ZeroDivisionError("a bug")

    async def test() -> None:
        monkeypatch.setattr(Relay, "run_timers", fail)
        feed = Feed()
        monkeypatch.setattr(process, "_open_feed", lambda *_: feed)
        with pytest.raises(SystemExit) as end:
            await process.run_relay(options(monkeypatch, "--max-streams", "10", "--drain-seconds", "0"))
        assert end.value.code == 1
        assert feed.stopped

    run(test())


def test_sigterm_during_a_drain_does_not_start_a_second_drain(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    async def test(metadata: Metadata) -> None:
        for name, value in metadata.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(process, "set_when_stopping", partial(set_when_stopping, poll_seconds=0.01))
        async with serving(monkeypatch, Feed(), "--drain-seconds", "1") as (port, task):
            clients = [await connect(port) for _ in range(4)]
            for reader, _ in clients:
                await reader.readuntil(b"retry: ")
            metadata.task["DesiredStatus"] = "STOPPED"
            ends = [asyncio.create_task(reader.read()) for reader, _ in clients]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            assert await health(port) == (503, "draining")
            assert not all(end.done() for end in ends)
            signal.raise_signal(signal.SIGTERM)
            for end in await asyncio.gather(*ends):
                assert end.endswith(b"0\r\n\r\n")
            await task
            for _, writer in clients:
                writer.close()

    with Metadata() as metadata:
        run(test(metadata))
    assert [record.message for record in caplog.records].count("drain started") == 1
