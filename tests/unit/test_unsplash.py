import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from msgspec.structs import replace

from functions.common.errors import Permanent, RateLimited, Transient
from functions.common.http.destinations import NotAllowed
from functions.common.http.download import HttpResponse, ResponseTooLarge
from functions.job_worker.context import UntrustedHttp
from kinds.photo.unsplash import PhotoPage, Unsplash
from tests.unit.factories import make_photo

PHOTO: dict[str, Any] = {
    "id": "p1",
    "width": 300,
    "height": 200,
    "color": "#aabbcc",
    "blur_hash": None,
    "description": "dinner",
    "alt_description": "a plate",
    "urls": {"small": "https://images.test/small", "regular": "https://images.test/regular"},
    "links": {"html": "https://unsplash.com/photos/p1"},
    "user": {"name": "Ann", "links": {"html": "https://unsplash.com/@ann"}},
}

WRONG: dict[str, list[Any]] = {
    "id": ["../x", "a/b", "", "é", 5, None],
    "width": ["300", 0, -1, 1.5, True, None, 10**40],
    "urls": [None, "x", {"small": "https://images.test/small"}, {"small": "", "regular": ""}],
    "links": [
        {"html": "https://unsplash.com/\ud800"},
        None,
        {"html": None},
        {"html": "javascript:alert(1)"},
        {"html": "https://[broken"},
    ],
    "user": [{"name": "Ann"}, {"name": None, "links": {"html": "https://unsplash.com/@ann"}}],
}


BROKEN: list[Any] = [b"", b'[{"id": "p', b"\xff", b"[" * 100_000, []]


class FakeHttp(UntrustedHttp):
    """Returns one response to every request and records the requests."""

    def __init__(self, answer: HttpResponse | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, str]]] = []

    def get(self, url: str, headers: dict[str, str] | None = None, **_: Any) -> HttpResponse:
        self.asked.append((url, headers or {}))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def ask(body: Any, *, status: int = 200, **headers: str) -> PhotoPage:
    """Return the photos for a response: bytes, a value that is encoded as JSON, or an error."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    content = body if isinstance(body, bytes | Exception) else json.dumps(body).encode()
    answer = content if isinstance(content, Exception) else HttpResponse(status, names, content)
    return Unsplash("https://api.test", lambda: "key", FakeHttp(answer)).random_photos("pasta", 30)


def test_one_request_asks_for_many_photos() -> None:
    http = FakeHttp(HttpResponse(200, {}, json.dumps([PHOTO]).encode()))
    Unsplash("https://api.test/", lambda: "key", http).random_photos("crème & co", 99)
    [(url, headers)] = http.asked
    assert url.startswith("https://api.test/photos/random?")
    assert parse_qs(urlsplit(url).query) == {"count": ["30"], "query": ["crème & co"]}
    assert headers == {"Authorization": "Client-ID key", "Accept-Version": "v1"}


@pytest.mark.parametrize("body", [[PHOTO], PHOTO], ids=["list", "object"])
def test_photos_are_returned_in_the_contracts_form(body: Any) -> None:
    page = ask(body, x_ratelimit_limit="50", x_ratelimit_remaining="49")
    assert page == PhotoPage([make_photo()], remaining=49)


@pytest.mark.parametrize("value", ["", "many", "-1", "9" * 50])
def test_an_invalid_header_is_ignored(value: str) -> None:
    assert ask(PHOTO, x_ratelimit_remaining=value).remaining is None


def test_optional_fields_that_are_missing_are_null() -> None:
    needed = ("id", "width", "height", "urls", "links", "user")
    lacking = {name: PHOTO[name] for name in needed}
    expected = make_photo(alt=None, color=None, blur_hash=None)
    assert ask([lacking]).photos == [expected]
    assert ask([lacking | {"description": "dinner"}]).photos == [replace(expected, alt="dinner")]


@pytest.mark.parametrize("value", ["", 5, "\ud800", {}])
def test_an_optional_field_that_cannot_be_used_is_null(value: Any) -> None:
    photo = PHOTO | {"color": value, "blur_hash": value, "alt_description": value, "description": value}
    assert ask([photo]).photos == [make_photo(color=None, blur_hash=None, alt=None)]


def test_long_texts_are_shortened_and_long_urls_refused() -> None:
    [photo] = ask([PHOTO | {"alt_description": "x" * 300_000}]).photos
    assert photo.alt == "x" * 1000
    urls = {"small": "https://images.test/" + "x" * 3000, "regular": "https://images.test/regular"}
    with pytest.raises(Transient):
        ask([PHOTO | {"urls": urls}])


def test_credit_links_keep_their_query_string() -> None:
    [photo] = ask(PHOTO | {"links": {"html": "https://unsplash.com/p?l=de#x"}}).photos
    assert photo.page == "https://unsplash.com/p?l=de&utm_source=calo&utm_medium=referral#x"


@pytest.mark.parametrize(
    "wrong",
    [None, "text", [], {}, *(PHOTO | {name: value} for name, values in WRONG.items() for value in values)],
)
def test_a_photo_without_a_required_field_is_left_out(wrong: Any) -> None:
    assert ask([wrong, PHOTO]).photos == [make_photo()]
    with pytest.raises(Transient):
        ask([wrong])


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, {"errors": ["OAuth error"]}, Permanent, "unauthorized"),
        (403, {"errors": ["Missing permissions"]}, Permanent, "forbidden"),
        (404, {"errors": ["No photos found."]}, Permanent, "no_photos"),
        (422, {"errors": ["count is invalid"]}, Permanent, "rejected"),
        (408, {"errors": ["slow"]}, Transient, "unavailable"),
        *((status, b"<html>", Transient, "unavailable") for status in (302, 500, 503)),
        *((200, text, Transient, "bad_answer") for text in BROKEN),
        *(
            (200, error, Transient, "bad_answer")
            for error in (ResponseTooLarge("big"), NotAllowed("elsewhere"))
        ),
        *(
            (200, error, Transient, "unreachable")
            for error in (requests.Timeout(), requests.ConnectionError())
        ),
    ],
)
def test_a_response_without_photos_raises_the_right_error(
    status: int, body: Any, kind: type[Permanent | Transient], code: str
) -> None:
    with pytest.raises(kind) as error:
        ask(body, status=status)
    assert error.value.code == code


@pytest.mark.parametrize(("status", "body"), [(403, b"Rate Limit Exceeded\n"), (429, b"")])
def test_an_exceeded_rate_limit_raises_rate_limited(status: int, body: bytes) -> None:
    with pytest.raises(RateLimited):
        ask(body, status=status)
