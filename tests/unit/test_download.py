"""Downloads from a web server that is slow or sends wrong headers."""

import contextlib
import gzip
import socket
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from threading import Thread
from typing import Any

import pytest
import requests

from functions.common.http.destinations import NotAllowed
from functions.common.http.download import Download, HttpResponse, ResponseTooLarge
from tests.unit.fakes import Page, page

Serve = Callable[[dict[str, Page]], str]
Fetch = Callable[..., HttpResponse]

PACKED = gzip.compress(b"x" * 1000)


@pytest.fixture
def fetch(serve: Serve) -> Iterator[Fetch]:
    downloads = []

    def fetch(first: Page, *, seconds: float = 5, max_bytes: int = 1000, **others: Page) -> HttpResponse:
        host = serve({"/": first, **{f"/{name}": other for name, other in others.items()}})
        downloads.append(Download(frozenset([host]), seconds=seconds))
        return downloads[-1].get(f"http://{host}/", {"X-Asked": "this"}, max_bytes)

    yield fetch
    for download in downloads:
        download.close()


def test_status_headers_and_body_are_returned(fetch: Fetch) -> None:
    asked = []

    def hello(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.headers["X-Asked"])
        page(status=404, body=b"hello", X_Answer="that")(handler)

    answer = fetch(hello)
    assert (answer.status, answer.headers["x-answer"], answer.body) == (404, "that", b"hello")
    assert asked == ["this"]


def test_the_size_is_limited(fetch: Fetch) -> None:
    assert fetch(page(body=b"x" * 1000)).body == b"x" * 1000
    with pytest.raises(ResponseTooLarge):
        fetch(page(body=b"x" * 1000), max_bytes=999)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP", "gzip, gzip"])
def test_a_compressed_body_is_refused(fetch: Fetch, encoding: str) -> None:
    """It was not asked for. It could be large, and look complete although it is truncated."""
    asked = []

    def compressed(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.headers["Accept-Encoding"])
        page(body=PACKED, Content_Encoding=encoding)(handler)

    with pytest.raises(requests.RequestException, match="compressed"):
        fetch(compressed)
    assert asked == ["identity"]


def raw(answer: bytes) -> Page:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(answer)
        handler.close_connection = True

    return send


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "first",
    [
        page(body=b"half", Content_Length="8"),
        raw(CHUNKED + b"4\r\nhalf\r\n"),
        raw(CHUNKED + b"8\r\nhalf"),
        raw(b"HTTP/1.1 200 OK\r\n\r\nhalf"),
        raw(b"HTTP/1.0 200 OK\r\n\r\nhalf"),
    ],
    ids=["shorter than its length", "without the last chunk", "half a chunk", "no length", "HTTP/1.0"],
)
def test_a_body_that_may_be_incomplete_is_an_error(fetch: Fetch, first: Page) -> None:
    with pytest.raises(requests.RequestException):
        fetch(first)


def test_a_chunked_body_is_complete_with_its_last_chunk(fetch: Fetch) -> None:
    assert fetch(raw(CHUNKED + b"4\r\nhalf\r\n4\r\nhalf\r\n0\r\n\r\n")).body == b"halfhalf"


def test_the_body_of_an_error_needs_no_length(fetch: Fetch) -> None:
    answer = fetch(raw(b"HTTP/1.0 403 Forbidden\r\n\r\nRate Limit Exceeded"))
    assert (answer.status, answer.body) == (403, b"Rate Limit Exceeded")


def test_nothing_of_an_exchange_leaks_into_the_next(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cookies, no credentials of a URL or of the machine, no proxies of the environment."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY")
    sent: list[Any] = []

    def greedy(handler: BaseHTTPRequestHandler) -> None:
        sent.append(handler.headers)
        page(body=b"hi", Set_Cookie=f"c={'x' * 3000}; Path=/")(handler)

    host = serve({"/": greedy, "/there": greedy, "/away": page(status=302, Location="/there")})
    download = Download(frozenset([host]))
    for path in ("/", "/", "/away"):
        assert download.get(f"http://{host}{path}", {}, 1000).body == b"hi"
    download.close()
    assert [headers["Cookie"] for headers in sent] == [None] * 3
    assert [headers["Authorization"] for headers in sent] == [None] * 3


def drip_body(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
    drip(handler)


def drip_head(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nX-Slow: ")
    drip(handler)
    handler.wfile.write(b"\r\n\r\n")


def drip(handler: BaseHTTPRequestHandler) -> None:
    for _ in range(600):
        handler.wfile.write(b"x")
        time.sleep(0.05)


def silence(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(30)


def slow_circle(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(0.19)
    page(status=302, Location="/")(handler)


@pytest.mark.parametrize("slow", [drip_body, drip_head, silence, slow_circle])
def test_the_deadline_applies_to_every_kind_of_slow_response(fetch: Fetch, slow: Page) -> None:
    begin = time.monotonic()
    with pytest.raises(requests.RequestException) as error:
        fetch(slow, seconds=0.2)
    assert time.monotonic() - begin < 10
    assert not isinstance(error.value, requests.TooManyRedirects)  # which would come a little later


def test_a_redirect_to_the_same_host_is_followed(fetch: Fetch) -> None:
    answer = fetch(page(status=301, Location="/there"), there=page(body=b"hi"))
    assert (answer.status, answer.body) == (200, b"hi")
    assert fetch(page(status=302)).status == 302


def test_the_size_limit_applies_to_the_body_of_a_redirect(fetch: Fetch) -> None:
    def long_redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.0 302 Found\r\nLocation: /there\r\n\r\n")
        for _ in range(500):
            handler.wfile.write(b"x" * 100_000)
            written.append(100_000)

    written: list[int] = []
    with contextlib.suppress(ResponseTooLarge):
        fetch(long_redirect, there=page())
    assert sum(written) < 25_000_000


def test_a_redirect_loop_is_an_error(fetch: Fetch) -> None:
    with pytest.raises(requests.TooManyRedirects):
        fetch(page(status=302, Location="/"))


@pytest.mark.parametrize(
    "place",
    ["http://169.254.169.254/", "http://localhost/", "//evil.test/", "file:///etc/passwd", "http://[x"],
)
def test_a_redirect_to_another_host_is_refused(fetch: Fetch, place: str) -> None:
    with pytest.raises(NotAllowed):
        fetch(page(status=302, Location=place))


@pytest.mark.parametrize(
    "url",
    [
        "http://images.test/",
        "https://images.test:8443/",
        "https://images.test@evil.test/",
        "https://evil.test/images.test",
        "https://images.test.evil.test/",
        "ftp://local.test:8000/",
        "http://local.test/",
        "images.test/",
        "https://[images.test/",
    ],
)
def test_a_host_that_is_not_allowed_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed):
        Download(frozenset(["images.test", "local.test:8000"])).get(url, {}, 1000)


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str, port: int = 443) -> None:
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)


@pytest.mark.parametrize("hosts", [None, frozenset(["stranger.test"])], ids=["every host", "listed"])
@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["169.254.169.254"]])
def test_a_name_that_resolves_to_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, hosts: frozenset[str] | None, addresses: list[str]
) -> None:
    """It is not even connected to: errors of connections would tell which ports are open."""
    connected: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: connected.append(address))
    resolve_to(monkeypatch, *addresses)
    download = Download(hosts)
    with pytest.raises(NotAllowed, match="not a public address"):
        download.get("https://stranger.test/", {}, 1000)
    with pytest.raises(NotAllowed, match="not a public address"):
        download.post("https://stranger.test/", {}, b"x")
    assert connected == []


def test_the_address_that_was_checked_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several addresses, the next is tried. The name is not resolved again."""
    connected: list[Any] = []

    def connect(_: socket.socket, address: Any) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    real = socket.getaddrinfo
    monkeypatch.setattr(socket.socket, "connect", connect)
    names: list[str] = []

    def resolve(host: str, *arguments: Any, **options: Any) -> Any:
        names.append(host)
        if host == "stranger.test":
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (name, 443)) for name in ("8.8.8.8", "8.8.4.4")
            ]
        return real(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(requests.ConnectionError):
        Download(None).post("https://stranger.test/", {}, b"x")
    assert connected == [("8.8.8.8", 443), ("8.8.4.4", 443)]
    assert names == ["stranger.test", "8.8.8.8", "8.8.4.4"]


def test_the_deadline_applies_to_the_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(5))
    begin = time.monotonic()
    with pytest.raises(requests.RequestException):
        Download(None, seconds=0.2).post("https://stranger.test/", {}, b"x")
    assert time.monotonic() - begin < 4


def test_the_deadline_applies_while_tls_is_negotiated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends one byte at a time stays within the timeout of each read."""

    def drip_record(server: socket.socket) -> None:
        connected, _ = server.accept()
        with connected, contextlib.suppress(OSError):
            connected.sendall(b"\x16\x03\x03\x40\x00")
            for _ in range(60):
                connected.sendall(b"x")
                time.sleep(0.1)

    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=drip_record, args=(server,), daemon=True).start()
        host = f"127.0.0.1:{server.getsockname()[1]}"
        begin = time.monotonic()
        with pytest.raises(requests.Timeout):
            Download(None, private=frozenset([host]), seconds=0.4).post(f"https://{host}/", {}, b"x")
        assert time.monotonic() - begin < 4


# --- POST ---


def test_a_post_has_its_headers_and_body_and_returns_the_status(serve: Serve) -> None:
    received: list[Any] = []

    def receive(handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers["Content-Length"])
        received.append((handler.command, handler.headers["X-Asked"], handler.rfile.read(length)))
        page(status=202, body=b"thanks")(handler)

    host = serve({"/": receive})
    post = Download(None, private=frozenset([host])).post
    assert post(f"http://{host}/", {"X-Asked": "this"}, b"hello") == 202
    assert received == [("POST", "this", b"hello")]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (page(status=302, Location="/there"), 302),
        (page(status=307, Location="/there"), 307),
        (raw(b"HTTP/1.1 200 OK\r\n\r\nhalf"), 200),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\nx"), 200),
        (drip_body, 200),
    ],
    ids=["redirect", "redirect of a POST", "without length", "huge body", "slow body"],
)
def test_only_the_status_of_a_post_counts(serve: Serve, answer: Page, status: int) -> None:
    host = serve({"/": answer})
    begin = time.monotonic()
    assert Download(None, private=frozenset([host]), seconds=5).post(f"http://{host}/", {}, b"x") == status
    assert time.monotonic() - begin < 4


@pytest.mark.parametrize("slow", [drip_head, silence])
def test_the_deadline_applies_to_a_post(serve: Serve, slow: Page) -> None:
    host = serve({"/": slow})
    with pytest.raises(requests.Timeout):
        Download(None, private=frozenset([host]), seconds=0.2).post(f"http://{host}/", {}, b"x")


@pytest.mark.parametrize(
    "url", ["http://stranger.test/", "ftp://stranger.test/", "https:///x", "//x", "file:///x"]
)
def test_strangers_are_only_asked_with_https(url: str) -> None:
    with pytest.raises(NotAllowed):
        Download(None).get(url, {}, 1000)
