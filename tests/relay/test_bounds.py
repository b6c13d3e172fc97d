"""Bounds of a relay: streams, connections, and how far a client may lag."""

import asyncio
import contextlib
import socket
from typing import Any

import httpx
import pytest

from functions.sse_relay.change import Change
from functions.sse_relay.server import SPARE_CONNECTIONS
from tests.relay.clients import raw, read, versions
from tests.relay.conftest import RunningRelay, change, job_id, run, running, until


@pytest.mark.parametrize(("limits", "status"), [({"max_streams": 2}, 503), ({"max_per_address": 2}, 429)])
def test_a_full_relay_says_when_to_come_again(limits: dict[str, Any], status: int) -> None:
    async def test() -> None:
        async with running(**limits) as relay, httpx.AsyncClient() as client:
            clients = [await raw(relay, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(2)]
            await relay.streams(2)
            answer = await client.get(f"{relay.url}/live")
            assert answer.status_code == status
            assert 1 <= int(answer.headers["retry-after"]) <= 5
            assert answer.json()["status"] == status
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
        # the load balancer is the peer of every client: its connections are not counted by address
        ({"max_streams": 0, "max_per_address": 20, "trusted_proxies": 1}, SPARE_CONNECTIONS),
        ({"max_streams": 0, "max_per_address": 20, "address_header": "x-real-ip"}, SPARE_CONNECTIONS),
    ],
)
def test_connections_that_ask_for_nothing_are_bounded_too(limits: dict[str, Any], bound: int) -> None:
    async def test() -> None:
        async with running(**limits) as relay:
            silent = [await raw(relay, b"") for _ in range(bound)]
            await until(lambda: relay.relay.connections == bound)
            reader, writer = await raw(relay, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
            for _, one in [*silent, (reader, writer)]:
                one.close()

    run(test())


def slow_client(relay: RunningRelay) -> socket.socket:
    """Takes four kilobytes at a time, and only when it is asked to."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", relay.port))
    client.sendall(b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
    client.setblocking(False)
    return client


def test_a_client_that_reads_late_gets_all_and_one_that_never_reads_is_dropped_and_counted() -> None:
    async def test() -> None:
        async with running() as relay, httpx.AsyncClient() as client:
            late, never = slow_client(relay), slow_client(relay)
            await relay.streams(2)
            got = b""
            sent: list[Change] = []
            while len(relay.relay.streams) == 2:
                sent.append(change(len(sent), query="x" * 5000))
                relay.publish(sent[-1])
                if relay.relay.streams[0].pending_bytes > 100_000:
                    got += await asyncio.get_running_loop().sock_recv(late, 1_000_000)
            while sent[-1].chunk not in got:
                got += await asyncio.get_running_loop().sock_recv(late, 1_000_000)
            assert got.endswith(b"".join(one.chunk for one in sent))
            assert "relay_streams_dropped_total 1.0" in (await client.get(f"{relay.url}/metrics")).text
            for one in (late, never):
                one.close()

    run(test())
