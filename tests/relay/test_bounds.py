"""The relay's limits: streams, connections, and pending bytes of a client."""

import asyncio
import contextlib
import socket
from itertools import count
from typing import Any

import httpx
import pytest

from functions.sse_relay import admission
from functions.sse_relay.admission import SPARE_CONNECTIONS, Limits
from functions.sse_relay.job_change import JobChange
from tests.relay.clients import read, send_raw, versions
from tests.relay.conftest import RunningRelay, change, job_id, run, running, until


@pytest.mark.parametrize(("limits", "status"), [({"max_streams": 2}, 503), ({"max_per_address": 2}, 429)])
def test_a_full_relay_says_when_to_retry(limits: dict[str, Any], status: int) -> None:
    async def test() -> None:
        async with running(limits=Limits(**limits)) as relay, httpx.AsyncClient() as client:
            clients = [await send_raw(relay, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(2)]
            await relay.streams(2)
            response = await client.get(f"{relay.url}/live")
            assert response.status_code == status
            assert 1 <= int(response.headers["retry-after"]) <= 5
            assert response.json()["status"] == status
            clients[0][1].close()
            await relay.streams(1)
            events = asyncio.create_task(read(relay, 1))
            await relay.streams(2)
            relay.publish(change(1))
            assert versions(await events) == [(job_id(1), 1)]
            clients[1][1].close()

    run(test())


@pytest.mark.parametrize(
    ("limits", "bound"),
    [
        ({"max_streams": 0, "max_per_address": 1000}, SPARE_CONNECTIONS),
        ({"max_per_address": 20}, 20),
        # the load balancer is the peer of every client, so its connections are not counted by address
        ({"max_streams": 0, "max_per_address": 20, "trusted_proxies": 1}, SPARE_CONNECTIONS),
        ({"max_streams": 0, "max_per_address": 20, "address_header": "x-real-ip"}, SPARE_CONNECTIONS),
    ],
)
def test_connections_without_a_request_are_limited_too(limits: dict[str, Any], bound: int) -> None:
    async def test() -> None:
        async with running(limits=Limits(**limits)) as relay:
            silent = [await send_raw(relay, b"") for _ in range(bound)]
            await until(lambda: relay.relay.admission.connections == bound)
            reader, writer = await send_raw(relay, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
            for _, open_writer in [*silent, (reader, writer)]:
                open_writer.close()

    run(test())


def slow_client(relay: RunningRelay) -> socket.socket:
    """Return a client that buffers four kilobytes and reads only when the test does."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", relay.port))
    client.sendall(b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
    client.setblocking(False)
    return client


async def read_to_end(client: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(client, 1_000_000):
        pass


def test_a_slow_client_gets_everything_and_one_that_never_reads_is_dropped_and_counted() -> None:
    async def test() -> None:
        async with running() as relay, httpx.AsyncClient() as client:
            slow, stuck = slow_client(relay), slow_client(relay)
            await relay.streams(2)
            got = b""
            sent: list[JobChange] = []
            while len(relay.relay.streams) == 2:
                sent += relay.publish(change(len(sent), text="x" * 5000))
                if relay.relay.streams[0].pending_bytes > 100_000:
                    got += await asyncio.get_running_loop().sock_recv(slow, 1_000_000)
            while sent[-1].chunk not in got:
                got += await asyncio.get_running_loop().sock_recv(slow, 1_000_000)
            assert got.endswith(b"".join(item.chunk for item in sent))
            assert "relay_streams_dropped_total 1.0" in (await client.get(f"{relay.url}/metrics")).text
            slow.close()
            stuck.close()

    run(test())


def test_a_reader_that_was_dropped_leaves_nothing_in_the_kernel() -> None:
    """Its connection is reset. Otherwise the kernel would keep its buffer until the client reads."""

    async def test() -> None:
        async with running() as relay:
            stuck = slow_client(relay)
            await relay.streams(1)
            numbers = count()
            while relay.relay.streams:
                relay.publish(change(next(numbers), text="x" * 5000))
            with pytest.raises(ConnectionResetError):
                await read_to_end(stuck)
            stuck.close()

    run(test())


def test_the_jobs_that_one_address_may_name_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "READ_BURST", 150)

    async def test() -> None:
        limits = Limits(trusted_proxies=1)
        async with running(limits=limits) as relay, httpx.AsyncClient() as client:
            jobs = {"job": ",".join(job_id(number) for number in range(100))}
            one = {"X-Forwarded-For": "192.0.2.1"}
            async with client.stream("GET", f"{relay.url}/live", params=jobs, headers=one) as first:
                assert first.status_code == 200
            refused = await client.get(f"{relay.url}/live", params=jobs, headers=one)
            assert (refused.status_code, "retry-after" in refused.headers) == (429, True)
            other = {"X-Forwarded-For": "192.0.2.2"}
            async with client.stream("GET", f"{relay.url}/live", params=jobs, headers=other) as second:
                assert second.status_code == 200

    run(test())


def test_an_allowance_returns_with_time_and_is_forgotten_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MAX_ALLOWANCES", 2)
    allowances = admission.Allowances(burst=10, per_second=2)
    assert [allowances.take("a", units, 0.0) for units in (6, 5, 4, 1)] == [True, False, True, False]
    assert [allowances.take("a", 3, now) for now in (1.0, 1.5, 1.6)] == [False, True, False]
    assert all(allowances.take(name, 1, 100.0) for name in "bcd")
    assert set(allowances._spent) == {"b", "c", "d"}
