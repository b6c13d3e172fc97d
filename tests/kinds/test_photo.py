"""The kind `photo` as a whole, with a server that plays Unsplash and its images."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from functions.common.kind import Permanent, RateLimited, Transient
from functions.common.testing import Harness, InvalidInput
from kinds.photo import KIND, Photo
from tests.unit.fakes import Page, page

JPEG = b"\xff\xd8\xff a picture\xff\xd9"
KEY = "the key"


class FakeUnsplash:
    """Answers with `count` photos. Records the topics that were requested."""

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.remaining = 40
        self.answer: Page | None = None

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        [topic] = parse_qs(urlsplit(handler.path).query)["query"]
        self.topics.append(topic)
        if handler.headers["Authorization"] != f"Client-ID {KEY}":
            page(status=401)(handler)
        elif self.answer:
            self.answer(handler)
        else:
            photos = [photo(handler.headers["Host"], f"{len(self.topics)}-{number}") for number in range(30)]
            page(body=json.dumps(photos).encode(), X_Ratelimit_Remaining=str(self.remaining))(handler)


def photo(host: str, photo_id: str) -> dict[str, Any]:
    link = {"html": f"https://unsplash.com/{photo_id}"}
    urls = {"small": f"http://{host}/small.jpg", "regular": f"http://{host}/regular.jpg"}
    user = {"name": "Ann", "links": link}
    return {"id": photo_id, "width": 4, "height": 3, "urls": urls, "links": link, "user": user}


@pytest.fixture
def unsplash(serve: Callable[[dict[str, Page]], str], monkeypatch: pytest.MonkeyPatch) -> FakeUnsplash:
    unsplash = FakeUnsplash()
    image = page(body=JPEG)
    host = serve({"/photos/random": unsplash, "/small.jpg": image, "/regular.jpg": image})
    monkeypatch.setenv("UNSPLASH_API_URL", f"http://{host}")
    monkeypatch.setenv("IMAGE_HOSTS", host)
    monkeypatch.setenv("UNSPLASH_ACCESS_KEY", KEY)
    return unsplash


@pytest.fixture
def harness(unsplash: FakeUnsplash) -> Iterator[Harness]:
    with Harness(KIND).open() as harness:
        yield harness


def test_a_photo_is_found_and_its_images_are_stored(harness: Harness, unsplash: FakeUnsplash) -> None:
    result = harness.run({"query": " Pasta "})
    assert result.output == Photo(
        id="1-0", width=4, height=3, color=None, blur_hash=None, alt=None,
        small="https://files.test/images/photo/1-0/small",
        regular="https://files.test/images/photo/1-0/regular",
        photographer=result.output.photographer,
        page="https://unsplash.com/1-0?utm_source=calo&utm_medium=referral",
    )  # fmt: skip
    assert result.output.photographer.name == "Ann"
    assert result.files == {f"1-0/{size}": (JPEG, "image/jpeg") for size in ("small", "regular")}
    assert (result.spent, unsplash.topics) == ({"unsplash": 1}, ["pasta"])


def test_food_is_the_default(harness: Harness, unsplash: FakeUnsplash) -> None:
    assert harness.run({}).output.id == "1-0"
    assert unsplash.topics == ["food"]


def test_jobs_of_a_topic_share_a_request(harness: Harness, unsplash: FakeUnsplash) -> None:
    results = harness.run_batch([{"query": query} for query in ("pasta", "PASTA", "pizza", "pasta")])
    assert len({result.output.id for result in results}) == 4
    ids = [harness.run({"query": "Pasta"}).output.id for _ in range(27)]
    assert len(set(ids)) == 27
    assert sorted(unsplash.topics) == ["pasta", "pizza"]


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (page(status=404), Permanent, "no_photos"),
        (page(status=401), Permanent, "unauthorized"),
        (page(status=500), Transient, "unavailable"),
        (page(body=b"<html>"), Transient, "bad_answer"),
    ],
)
def test_an_answer_without_photos_has_the_right_outcome(
    harness: Harness, unsplash: FakeUnsplash, answer: Page, error: type[Exception], code: str
) -> None:
    unsplash.answer = answer
    outcome = harness.run({"query": "pasta"}).outcome
    assert (type(outcome), outcome.code) == (error, code)


def test_a_used_up_limit_makes_jobs_wait_until_the_window_ends(
    harness: Harness, unsplash: FakeUnsplash
) -> None:
    unsplash.answer = page(status=403, body=b"Rate Limit Exceeded")
    first, second = harness.run({"query": "pasta"}), harness.run({"query": "pizza"})
    assert isinstance(first.outcome, RateLimited)
    assert isinstance(second.outcome, RateLimited)
    assert (first.spent, second.spent) == ({"unsplash": 1}, {})
    assert (unsplash.topics, second.outcome.retry_at) == (["pasta"], first.outcome.retry_at)
    unsplash.answer = None
    harness.now = first.outcome.retry_at
    assert harness.run({"query": "pizza"}).output.id == "2-0"


def test_without_stored_files_browsers_load_images_from_unsplash(unsplash: FakeUnsplash) -> None:
    with Harness(replace(KIND, stores_files=False)).open() as harness:
        result = harness.run({"query": "pasta"})
    assert result.output.regular.endswith("/regular.jpg")
    assert result.files == {}


def test_the_key_is_a_secret_of_the_kind(unsplash: FakeUnsplash) -> None:
    with Harness(KIND, secrets={"unsplash_access_key": "another key"}).open() as harness:
        assert harness.run({}).outcome.code == "unauthorized"


@pytest.mark.parametrize("query", ["", "   ", "x" * 81, "a\nb", "\u200b", "\u2800", 5, None])
def test_a_query_must_have_visible_text(harness: Harness, unsplash: FakeUnsplash, query: object) -> None:
    with pytest.raises(InvalidInput, match=r"^input\.query: must "):
        harness.run({"query": query})
    assert unsplash.topics == []


def test_spaces_around_a_query_do_not_count(harness: Harness) -> None:
    assert harness.run({"query": f"  {'x' * 80}  "}).output.id == "1-0"
