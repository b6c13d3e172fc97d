"""The relay's endpoints beside the streams: health, metrics, refusals, and the drain."""

import asyncio
from typing import Any

import httpx
import pytest

from functions.sse_relay.admission import Limits
from functions.sse_relay.feed import LineFeed, SqsFeed
from tests.relay.clients import read, send_raw
from tests.relay.conftest import NOW, RunningRelay, change, job_id, run, running


def test_a_drain_ends_all_streams_and_refuses_new_ones() -> None:
    async def test() -> None:
        async with running(uniform=lambda low, _: low) as relay, httpx.AsyncClient() as client:
            clients = [await send_raw(relay, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(3)]
            await relay.streams(3)
            await relay.relay.drain(0.05)
            for reader, writer in clients:
                assert (await reader.read()).endswith(b"0\r\n\r\n")
                writer.close()
            response = await client.get(f"{relay.url}/live")
            assert (response.status_code, response.headers["retry-after"]) == (503, "1")
            assert (await client.get(f"{relay.url}/healthz")).status_code == 503

    run(test())


def test_a_relay_is_unhealthy_until_its_feed_has_settled() -> None:
    async def test() -> None:
        async with running() as relay, httpx.AsyncClient() as client:
            relay.relay.set_healthy_in(0.2)
            response = await client.get(f"{relay.url}/healthz")
            assert (response.status_code, response.text) == (503, "starting")
            while response.status_code == 503:
                response = await client.get(f"{relay.url}/healthz")
            assert (response.status_code, response.text) == (200, "ok")
        assert (SqsFeed.settle_seconds, LineFeed.settle_seconds) == (3, 0)

    run(test())


def test_a_relay_whose_feed_has_stopped_is_unhealthy(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with running() as relay, httpx.AsyncClient() as client:
            monkeypatch.setattr(relay.relay, "_is_feed_alive", lambda: False)
            response = await client.get(f"{relay.url}/healthz")
            assert (response.status_code, response.text) == (503, "feed stopped")

    run(test())


def test_the_path_may_contain_the_stages_name() -> None:
    """API Gateway passes it to a private integration."""

    async def test() -> None:
        async with running() as relay:
            relay.history.jobs = {job_id(1): change(1, 4)}
            request = f"GET /api/live?job={job_id(1)} HTTP/1.0\r\n\r\n"
            reader, writer = await send_raw(relay, request.encode())
            assert change(1, 4).to_line() in await reader.readuntil(b"}\n\n")
            writer.close()

    run(test())


async def open_streams(relay: RunningRelay, headers: list[str]) -> list[int]:
    """Open a stream with each of these header lines, close them all, and return the statuses."""
    statuses, writers = [], []
    for lines in headers:
        reader, writer = await send_raw(relay, f"GET /live HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
        statuses.append(int((await reader.readline()).split()[1]))
        writers.append(writer)
    for writer in writers:
        writer.close()
    return statuses


def test_behind_a_proxy_streams_are_counted_by_the_address_in_its_header() -> None:
    async def test() -> None:
        async with running(limits=Limits(max_per_address=2, address_header="x-real-ip")) as relay:
            addresses = ("1.1.1.1", "1.1.1.1", "1.1.1.1", "2.2.2.2")
            headers = [f"X-Forwarded-For: 9.9.9.9\r\nX-Real-Ip: {address}\r\n" for address in addresses]
            statuses = await open_streams(relay, headers)
            assert statuses == [200, 200, 429, 200]

    run(test())


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("192.0.2.1", "192.0.2.1:50000", True),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "[2001:db8:1:2::7]:443", True),
        ("2001:db8:1:2::1", "[2001:DB8:1:2::8]", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("unknown", "_hidden", True),  # not addresses: counted as the proxy
    ],
)
@pytest.mark.parametrize("limits", [{"trusted_proxies": 1}, {"address_header": "x-forwarded-for"}])
def test_streams_are_counted_by_ipv4_address_or_ipv6_network(
    limits: dict[str, Any], first: str, second: str, is_same: bool
) -> None:
    async def test() -> None:
        async with running(limits=Limits(max_per_address=1, **limits)) as relay:
            headers = [f"X-Forwarded-For: {address}\r\n" for address in (first, second)]
            statuses = await open_streams(relay, headers)
            assert statuses == [200, 429 if is_same else 200]

    run(test())


def test_a_preflight_allows_what_event_readers_send() -> None:
    async def test() -> None:
        async with running() as relay, httpx.AsyncClient() as client:
            asked = {
                "Origin": "https://example.org",
                "Access-Control-Request-Method": "GET",
                "Access-Control-Request-Headers": "cache-control,last-event-id",
            }
            response = await client.options(f"{relay.url}/live", headers=asked)
            assert (response.status_code, response.content) == (204, b"")
            assert response.headers["access-control-allow-origin"] == "*"
            allowed = response.headers["access-control-allow-headers"].lower().split(", ")
            assert {"cache-control", "last-event-id", "authorization"} <= set(allowed)
            assert "GET" in response.headers["access-control-allow-methods"]

    run(test())


def test_other_methods_and_paths_are_refused() -> None:
    async def test() -> None:
        async with running() as relay, httpx.AsyncClient() as client:
            for method in ("POST", "PUT", "DELETE"):
                response = await client.request(method, f"{relay.url}/live")
                assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
            assert (await client.get(f"{relay.url}/live/x")).status_code == 404
            assert (await client.get(f"{relay.url}/healthz")).text == "ok"

    run(test())


def test_metrics_count_changes_streams_and_refusals() -> None:
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
