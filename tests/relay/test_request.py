"""What clients may send, byte by byte."""

import asyncio
import contextlib

import pytest

from functions.sse_relay.cursor import parse
from functions.sse_relay.http import visitor
from functions.sse_relay.http.request import MAX_HEAD, Refused, client_address, parse_head
from functions.sse_relay.stream import MAX_RECEIVED
from functions.sse_relay.subscription import Subscription, parse_subscription
from tests.relay.conftest import RunningRelay, job_id, run, running, until

HEAD = b"GET /live HTTP/1.1\r\nHost: x\r\n"


def test_a_head_is_parsed_into_plain_values() -> None:
    request = parse_head(b"GET /a%20b?job=1&job=2,3&x= HTTP/1.1\r\nHost: h\r\nLast-Event-ID: 7\r\n\r\n")
    assert (request.method, request.path, request.chunked) == ("GET", "/a b", True)
    assert request.query == {"job": ["1", "2,3"], "x": [""]}
    assert request.headers == {"host": "h", "last-event-id": "7"}
    assert parse_head(b"GET http://h/live?x=1 HTTP/1.0\r\n\r\n").path == "/live"
    assert parse_head(b"GET /live HTTP/1.0\r\n\r\n").chunked is False


@pytest.mark.parametrize(
    "head",
    [
        b"GET /live HTTP/1.1\r\n\r\n",
        b"GET /live\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /live HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
        b"GET /live HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /live?"
        + b"&".join(b"a%d=1" % number for number in range(300))
        + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_an_invalid_request_is_refused(head: bytes) -> None:
    with pytest.raises(Refused) as refused:
        parse_head(head)
    assert refused.value.status == 400


def test_an_upgrade_is_declined_by_a_normal_response() -> None:
    assert parse_head(HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n").path == "/live"


def test_cursor_and_job_ids() -> None:
    def request(query: bytes, header: bytes = b"") -> object:
        parsed = parse_head(b"GET /live?%s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (query, header))
        return parse_subscription(parsed)

    assert request(b"") == Subscription(None, "")
    assert request(b"lastEventId=5") == Subscription(None, "5")
    assert request(b"lastEventId=5", b"Last-Event-ID: 6\r\n") == Subscription(None, "6")
    names = frozenset([job_id(1), job_id(2)])
    assert request(f"job={job_id(1)}&job={job_id(2).upper()}".encode()) == Subscription(names, "")


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        ("", 0, "peer"),
        ("1.1.1.1, 2.2.2.2", 0, "peer"),
        ("", 2, "peer"),
        ("forged, 1.1.1.1, 2.2.2.2", 2, "1.1.1.1"),
        ("1.1.1.1", 2, "1.1.1.1"),
    ],
)
def test_the_client_address_is_the_one_that_trusted_proxies_saw(
    forwarded: str, proxies: int, address: str
) -> None:
    request = parse_head(HEAD + f"X-Forwarded-For: {forwarded}\r\n\r\n".encode())
    assert client_address(request, "peer", trusted_proxies=proxies) == address


def test_repeated_header_lines_are_joined() -> None:
    lines = b"X-Forwarded-For: 1.1.1.1\r\nx-forwarded-for: 2.2.2.2, 3.3.3.3\r\n\r\n"
    request = parse_head(HEAD + lines)
    assert request.headers["x-forwarded-for"] == "1.1.1.1, 2.2.2.2, 3.3.3.3"
    assert client_address(request, "peer", trusted_proxies=3) == "1.1.1.1"
    assert client_address(request, "peer", trusted_proxies=1) == "3.3.3.3"
    repeated = parse_head(HEAD + b"Last-Event-ID: 7\r\nLast-Event-ID: 9\r\n\r\n")
    assert parse(parse_subscription(repeated).cursor) is None
    with pytest.raises(Refused, match="one Host header"):
        parse_head(HEAD + b"Host: y\r\n\r\n")


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ("X-Calo-Source-Ip: 1.1.1.1", "1.1.1.1"),
        ("x-calo-source-ip:2001:db8::1 ", "2001:db8::1"),
        (
            "X-Calo-Source-Ip: 6.6.6.6\r\nX-Calo-Source-Ip: 1.1.1.1",
            "1.1.1.1",
        ),  # the proxy's value
        ("X-Forwarded-For: 6.6.6.6", "peer"),
        ("X-Forwarded-For: 6.6.6.6\r\nX-Calo-Source-Ip:", "peer"),
    ],
)
def test_with_an_address_header_only_that_header_counts(lines: str, address: str) -> None:
    request = parse_head(HEAD + f"{lines}\r\n\r\n".encode())
    assert client_address(request, "peer", address_header="x-calo-source-ip") == address


async def exchange(relay: RunningRelay, *pieces: bytes) -> bytes:
    """Send the pieces one by one and return the whole response."""
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    response = await reader.read()
    writer.close()
    return response


def test_a_request_may_arrive_in_pieces() -> None:
    async def test() -> None:
        async with running() as relay:
            response = await exchange(relay, b"GET /heal", b"thz HTTP/1.1\r\nHost: x\r", b"\n\r", b"\nrest")
            assert response.startswith(b"HTTP/1.1 200 OK\r\n")
            assert response.endswith(b"Connection: close\r\n\r\nok")

    run(test())


def test_a_response_ends_immediately_and_a_client_that_does_not_close_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        monkeypatch.setattr(visitor, "LINGER_SECONDS", 1000)
        async with running() as relay:
            reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.read()).endswith(b"ok")  # without waiting for LINGER_SECONDS
            writer.close()
            monkeypatch.setattr(visitor, "LINGER_SECONDS", 0.05)
            reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.read()
            await until(lambda: relay.relay.admission.connections == 0)
            writer.close()

    run(test())


def test_a_response_to_head_has_no_body() -> None:
    async def test() -> None:
        async with running() as relay:
            for path, content_type in ((b"live", b"text/event-stream"), (b"healthz", b"text/plain")):
                response = await exchange(relay, b"HEAD /%s HTTP/1.1\r\nHost: x\r\n\r\n" % path)
                assert response.startswith(b"HTTP/1.1 200 ")
                assert content_type in response
                assert response.endswith(b"\r\n\r\n")
            await until(lambda: relay.relay.admission.connections == 0)

    run(test())


@pytest.mark.parametrize("head", [HEAD + b"X: " + b"x" * MAX_HEAD, b"GET /" + b"x" * MAX_HEAD])
def test_a_head_that_is_too_long_is_refused(head: bytes) -> None:
    async def test() -> None:
        async with running() as relay:
            response = await exchange(relay, head[:9000], head[9000:])
            assert response.startswith(b"HTTP/1.1 431 ")
            assert b"must be shorter than 16384 bytes" in response

    run(test())


def test_bare_line_feeds_are_refused_immediately() -> None:
    async def test() -> None:
        async with running() as relay:
            response = await exchange(relay, b"GET /healthz HTTP/1.1\nHost: x\n\n")
            assert response.startswith(b"HTTP/1.1 400 ")
            assert b"CRLF" in response

    run(test())


def test_a_client_that_does_not_finish_its_request_is_disconnected() -> None:
    async def test() -> None:
        async with running(head=0.05) as relay:
            assert await exchange(relay, b"GET /live HTTP/1.1\r\nHost: x\r\nX: ") == b""
            assert await exchange(relay) == b""

    run(test())


def test_bytes_after_the_request_are_ignored() -> None:
    async def test() -> None:
        async with running() as relay:
            reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
            writer.write(HEAD + b"\r\n")
            await reader.readuntil(b"retry: ")
            writer.write(b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
            await writer.drain()
            await relay.streams(1)
            writer.close()
            await until(lambda: relay.relay.streams == [])

    run(test())


def test_a_client_that_never_stops_sending_is_disconnected() -> None:
    async def test() -> None:
        async with running() as relay:
            reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
            writer.write(HEAD + b"\r\n")
            await relay.streams(1)
            writer.write(b"x" * 2 * MAX_RECEIVED)
            await relay.streams(0)
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()

    run(test())


def test_nothing_of_the_request_is_echoed() -> None:
    async def test() -> None:
        async with running() as relay:
            for query in (b"job=%0d%0adata:forged", b"lastEventId=%0adata:forged", b"x=forged"):
                reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
                writer.write(b"GET /live?" + query + b" HTTP/1.0\r\nX: forged\r\n\r\n")
                await asyncio.sleep(0.02)
                assert b"forged" not in await reader.read(65536)
                writer.close()

    run(test())
