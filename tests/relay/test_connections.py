"""Sockets: clients that close one side, and the addresses that the relay listens on."""

import asyncio
import socket

import httpx
import pytest

from functions.sse_relay.http.listener import Listener
from functions.sse_relay.http.poll import Poll
from tests.relay.clients import send_raw
from tests.relay.conftest import change, run, running


def test_a_client_that_has_closed_its_side_still_gets_events() -> None:
    async def test() -> None:
        async with running(heartbeat=0.2) as relay:
            reader, writer = await send_raw(relay, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
            writer.write_eof()
            await reader.readuntil(b":\n")  # the relay has noticed
            await asyncio.sleep(0.1)  # and has written once more
            for number in range(3):
                (event,) = relay.publish(change(number))
                assert (await reader.readuntil(event.chunk)).endswith(event.chunk)
            writer.close()
            await relay.streams(0)

    run(test())


def test_a_half_closed_client_that_is_slow_gets_everything() -> None:
    async def test() -> None:
        async with running(heartbeat=0.2) as relay:
            reader, writer = await send_raw(relay, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
            await relay.streams(1)
            events = [relay.publish(change(number, text="x" * 40_000))[0] for number in range(6)]
            writer.write_eof()
            received = b""
            while events[-1].chunk not in received:
                received += await reader.read(100_000)
            assert all(event.chunk in received for event in events)
            writer.close()
            await relay.streams(0)

    run(test())


def test_localhost_is_both_loopback_addresses() -> None:
    async def test() -> None:
        if not has_ipv6():
            pytest.skip("this machine has no IPv6 loopback address")
        async with running(host="localhost") as relay, httpx.AsyncClient() as client:
            for address in ("127.0.0.1", "[::1]"):
                assert (await client.get(f"http://{address}:{relay.port}/healthz")).text == "ok"

    run(test())


def test_a_port_in_use_on_one_of_the_addresses_is_an_error() -> None:
    async def test() -> None:
        with socket.create_server(("127.0.0.1", 0)) as occupied:
            port = occupied.getsockname()[1]
            listener = Listener(Poll(), lambda *_: None)
            with pytest.raises(OSError, match="in use"):
                listener.start("localhost", port)
            listener.stop()

    run(test())


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False
