"""Downloads from a web server that is slow or sends wrong headers."""

import contextlib
import gzip
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import requests

from functions.job_worker.download import Download, HostNotAllowed, HttpResponse, ResponseTooLarge
from tests.unit.fakes import Page, page

Serve = Callable[[dict[str, Page]], str]
Fetch = Callable[..., HttpResponse]

GZIP = {"Content_Encoding": "gzip"}
PACKED = gzip.compress(b"x" * 1000)


@pytest.fixture
def fetch(serve: Serve) -> Iterator[Fetch]:
    with requests.Session() as session:

        def fetch(first: Page, *, seconds: float = 5, max_bytes: int = 1000, **others: Page) -> HttpResponse:
            host = serve({"/": first, **{f"/{name}": other for name, other in others.items()}})
            download = Download(session, frozenset([host]), seconds=seconds)
            return download.get(f"http://{host}/", {"X-Asked": "this"}, max_bytes)

        yield fetch


def test_status_headers_and_body_are_returned(fetch: Fetch) -> None:
    asked = []

    def hello(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.headers["X-Asked"])
        page(status=404, body=b"hello", X_Answer="that")(handler)

    answer = fetch(hello)
    assert (answer.status, answer.headers["x-answer"], answer.body) == (404, "that", b"hello")
    assert asked == ["this"]


@pytest.mark.parametrize(("body", "headers"), [(b"x" * 1000, {}), (PACKED, GZIP)], ids=["plain", "packed"])
def test_the_size_limit_applies_to_the_decompressed_body(fetch: Fetch, body: bytes, headers: Any) -> None:
    assert fetch(page(body=body, **headers)).body == b"x" * 1000
    with pytest.raises(ResponseTooLarge):
        fetch(page(body=body, **headers), max_bytes=999)


@pytest.mark.parametrize("headers", [{}, GZIP], ids=["plain", "packed"])
def test_a_truncated_body_is_an_error(fetch: Fetch, headers: Any) -> None:
    with pytest.raises(requests.RequestException):
        fetch(page(body=PACKED[:12], Content_Length=str(len(PACKED)), **headers))


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
    with pytest.raises(HostNotAllowed):
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
    with requests.Session() as session, pytest.raises(HostNotAllowed):
        Download(session, frozenset(["images.test", "local.test:8000"])).get(url, {}, 1000)
