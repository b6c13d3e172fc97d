"""Downloads from a web server that is slow or sends wrong headers."""

import contextlib
import gzip
import socket
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import requests

from functions.common.http.addresses import is_public
from functions.common.http.download import Download, HttpResponse, ResponseTooLarge
from functions.common.http.exchange import NotAllowed
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


@pytest.mark.parametrize("hosts", [None, frozenset(["stranger.test"])], ids=["every host", "listed"])
def test_a_name_that_resolves_to_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, hosts: frozenset[str] | None
) -> None:
    """The address that is connected to counts, so it does not help to resolve the name differently later."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", server.getsockname())]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)
        with pytest.raises(NotAllowed, match="not a public address"):
            Download(hosts).get("https://stranger.test/", {}, 1000)


@pytest.mark.parametrize(
    "url", ["http://stranger.test/", "ftp://stranger.test/", "https:///x", "//x", "file:///x"]
)
def test_strangers_are_only_asked_with_https(url: str) -> None:
    with pytest.raises(NotAllowed):
        Download(None).get(url, {}, 1000)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.16.0.1", "192.168.0.1", "127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "100.64.0.1", "192.0.0.1", "::", "::1", "fe80::1%eth0", "fd00::1", "ff02::1",
     "::ffff:10.0.0.1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:f5ff:fffe", "fd00:ec2::254"],
)  # fmt: skip
def test_an_address_that_is_not_on_the_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "151.101.1.181", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_an_address_on_the_internet(address: str) -> None:
    assert is_public(address)
