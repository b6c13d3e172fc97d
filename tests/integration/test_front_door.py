"""The front door of the local run answers like the API and the CDN in AWS."""

import gzip
import http.client
import socket

import httpx
import pytest

from local.processes import loopback_addresses
from tests.integration.conftest import Calo, eventually

ORIGIN = {"Origin": "https://example.org"}


@pytest.fixture(autouse=True)
def local_run(calo: Calo) -> None:
    """Skip the tests if there is only a deployed API."""
    assert calo.system.port


@pytest.mark.parametrize("path", ["jobs", "stats", "openapi.json", "live"])
def test_head_is_answered_like_get_without_a_body(calo: Calo, path: str) -> None:
    head = calo.http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["access-control-allow-origin"] == "*"
    with calo.http.stream("GET", path) as answer:
        assert head.headers["content-type"] == answer.headers["content-type"]


@pytest.mark.parametrize("path", ["jobs/x", "nothing"])
def test_head_of_an_error_has_its_status(calo: Calo, path: str) -> None:
    head, answer = calo.http.head(path), calo.http.get(path)
    assert (head.status_code, head.content) == (answer.status_code, b"")


@pytest.mark.parametrize("name", ["cache-control", "last-event-id", "authorization"])
@pytest.mark.parametrize("path", ["live", "jobs"])
def test_a_preflight_allows_the_headers_of_event_readers(calo: Calo, path: str, name: str) -> None:
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": name}
    answer = calo.http.options(path, headers={**ORIGIN, **asked})
    assert answer.status_code in (200, 204)
    assert name in answer.headers["access-control-allow-headers"].lower()


@pytest.mark.parametrize("size", [300_000, 2_000_000, 11_000_000])
def test_a_large_body_is_refused_as_a_problem(calo: Calo, size: int) -> None:
    answer = calo.http.post("jobs", content=b" " * size, headers=ORIGIN)
    assert answer.status_code == 413
    is_problem(answer)


@pytest.mark.parametrize("path", ["jobs", "live", "nothing"])
@pytest.mark.parametrize("size", [9_000, 20_000])
def test_a_long_address_is_refused_as_a_problem(calo: Calo, path: str, size: int) -> None:
    answer = calo.http.get(path, params={"x": "y" * size}, headers=ORIGIN)
    assert answer.status_code == 414
    is_problem(answer)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
# named, because a compressed body contains the time, and each process of pytest would compute another name
@pytest.mark.parametrize(
    "body",
    [b'{"query": "pasta"}', gzip.compress(b'{"query": "pasta"}'), b""],
    ids=["plain", "compressed", "empty"],
)
def test_a_body_with_an_encoding_is_refused(calo: Calo, encoding: str, body: bytes) -> None:
    answer = calo.http.post("jobs", content=body, headers={"Content-Encoding": encoding})
    assert answer.status_code == 415
    is_problem(answer)


def is_problem(answer: httpx.Response) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["status"] == answer.status_code


def test_a_range_of_an_image_has_its_place(calo: Calo) -> None:
    job_id = calo.create("range")["id"]
    url = eventually(lambda: calo.get(f"jobs/{job_id}").json()["result"])
    whole, first = httpx.get(url), httpx.get(url, headers={"Range": "bytes=0-9"})
    assert (first.status_code, first.content) == (206, whole.content[:10])
    assert first.headers["content-range"] == f"bytes 0-9/{len(whole.content)}"
    for name, value in {
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'",
        "access-control-allow-origin": "*",
        "cache-control": "public, max-age=31536000, immutable",
    }.items():
        assert whole.headers[name] == first.headers[name] == value


@pytest.mark.parametrize("address", loopback_addresses())
def test_the_front_door_and_the_relay_listen_on_every_loopback_address(calo: Calo, address: str) -> None:
    for port in (calo.system.port, calo.system._relay_port):
        with socket.create_connection((address, port), timeout=5):
            pass


def test_a_stream_is_cut_when_the_relay_dies(calo: Calo) -> None:
    """The client must notice: no second answer appears in the first, and the body does not end properly."""
    connection = http.client.HTTPConnection("127.0.0.1", calo.system.port, timeout=30)
    connection.request("GET", "/api/live")
    answer = connection.getresponse()
    assert answer.readline().startswith(b"retry: ")
    calo.system.relay.kill()
    try:
        with pytest.raises(http.client.IncompleteRead) as error:
            answer.read()
        assert b"HTTP/1.1" not in error.value.partial
        assert calo.http.get("live").status_code == 502
    finally:
        connection.close()
        calo.system.start_relay()
