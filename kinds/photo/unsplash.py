"""Call Unsplash: one request returns up to 30 random photos of a topic.

https://unsplash.com/documentation#get-a-random-photo
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
import requests

from functions.common.decode import is_encodable
from functions.common.errors import Permanent, RateLimited, Transient
from functions.common.http.destinations import NotAllowed
from functions.common.http.download import ResponseTooLarge
from functions.common.kind import Http
from kinds.photo import Photo, Photographer

MAX_COUNT = 30
MAX_RESPONSE = 1_000_000
"""Bytes. 30 photos have about 150,000. A worker may hold ten responses, and parsed they are larger."""
RETRYABLE_STATUSES = (408, 425)
"""Request Timeout and Too Early. By definition a retry may succeed."""
MAX_PIXELS = 1_000_000
MAX_TEXT = 1000
"""Characters of a description. Longer ones are shortened: a job must fit into an event of 256 KB."""
MAX_URL = 2048
MAX_NAME = 200
NO_PHOTOS = "no_photos"
RATE_LIMIT_TEXT = "rate limit exceeded"
CREDIT = urlencode({"utm_source": "calo", "utm_medium": "referral"})
"""Parameters that the guidelines require in links of a credit:
https://help.unsplash.com/en/articles/2511315-guideline-attribution"""


@dataclass(frozen=True)
class PhotoPage:
    """The photos of one response in the contract's form, and the remaining requests that it reports."""

    photos: list[Photo]
    remaining: int | None


class Unsplash:
    """Unsplash's API, called with one access key."""

    def __init__(self, api_url: str, access_key: Callable[[], str], http: Http) -> None:
        self._api_url = api_url.rstrip("/")
        self._access_key = access_key
        self._http = http
        self._hosts = frozenset([urlsplit(api_url).netloc])

    def random_photos(self, topic: str, count: int) -> PhotoPage:
        """Return up to `count` (1..30) photos of a topic.

        Raises Permanent, Transient, or RateLimited with `retry_at` 0, because the response does not say when.
        """
        query = urlencode({"count": min(count, MAX_COUNT), "query": topic})
        headers = {"Authorization": f"Client-ID {self._access_key()}", "Accept-Version": "v1"}
        try:
            url = f"{self._api_url}/photos/random?{query}"
            response = self._http.get(url, headers, max_bytes=MAX_RESPONSE, hosts=self._hosts)
        except ResponseTooLarge as error:
            raise Transient("bad_answer", "Unsplash's response is too large") from error
        except NotAllowed as error:
            raise Transient("bad_answer", "Unsplash redirected to another host") from error
        except requests.RequestException as error:
            raise Transient("unreachable", f"Unsplash did not respond ({type(error).__name__})") from error
        if response.status != 200:
            raise _error_of(response.status, response.body, topic)
        return PhotoPage(_parse_photos(response.body), _remaining(response.headers))


def no_photos(topic: str) -> Permanent:
    """Return the error of a topic without photos."""
    return Permanent(NO_PHOTOS, f"Unsplash has no photos for “{topic}”")


def _error_of(status: int, body: bytes, topic: str) -> Exception:
    text = body[:200].decode(errors="replace")
    if status == 429 or (status == 403 and RATE_LIMIT_TEXT in text.lower()):
        return RateLimited(0)
    if status == 401:
        return Permanent("unauthorized", "Unsplash refused the access key")
    if status == 403:
        return Permanent("forbidden", "Unsplash refused the request (403)")
    if status == 404:
        return no_photos(topic)
    if 400 <= status < 500 and status not in RETRYABLE_STATUSES:
        return Permanent("rejected", f"Unsplash rejected the request ({status})")
    return Transient("unavailable", f"Unsplash is unavailable ({status})")


def _parse_photos(body: bytes) -> list[Photo]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Transient("bad_answer", "Unsplash's response is not valid JSON") from error
    entries = content if isinstance(content, list) else [content]
    photos = [photo for photo in map(_parse_photo, entries) if photo]
    if not photos:
        raise Transient("bad_answer", "Unsplash's response does not contain a usable photo")
    return photos


def _parse_photo(entry: Any) -> Photo | None:
    """Return a photo in the contract's form, or None if the entry lacks a required field."""
    try:
        user, urls = entry["user"], entry["urls"]
        photo = Photo(
            id=entry["id"],
            width=entry["width"],
            height=entry["height"],
            color=_optional(entry.get("color")),
            blur_hash=_optional(entry.get("blur_hash")),
            alt=_optional(entry.get("alt_description")) or _optional(entry.get("description")),
            small=urls["small"],
            regular=urls["regular"],
            photographer=Photographer(name=user["name"][:MAX_NAME], url=_with_credit(user["links"]["html"])),
            page=_with_credit(entry["links"]["html"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        return None
    return photo if _is_well_formed(photo) else None


def _optional(text: Any) -> str | None:
    """Return an optional text, shortened, or None if it is missing, empty or cannot be stored."""
    return text[:MAX_TEXT] if isinstance(text, str) and text and is_encodable(text) else None


def _is_well_formed(photo: Photo) -> bool:
    """Check types and lengths. Also refuse an id that could leave its folder in the bucket."""
    try:  # constructing a Struct does not check its types
        msgspec.json.decode(msgspec.json.encode(photo), type=Photo)
    except (msgspec.ValidationError, TypeError, ValueError):
        return False
    images = [photo.small, photo.regular]
    urls = [*images, photo.photographer.url, photo.page]
    return (
        all(len(url) <= MAX_URL for url in urls)
        and all(url.startswith(("https://", "http://")) for url in images)
        and all(0 < size <= MAX_PIXELS for size in (photo.width, photo.height))
        and 0 < len(photo.id) <= MAX_NAME
        and bool(photo.photographer.name)
        and photo.id.replace("-", "").replace("_", "").isalnum()
        and photo.id.isascii()
    )


def _with_credit(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"not a web address: {url}")
    return parts._replace(query="&".join(filter(None, [parts.query, CREDIT]))).geturl()


def _remaining(headers: dict[str, str]) -> int | None:
    text = headers.get("x-ratelimit-remaining", "")
    return int(text) if text.isdecimal() and len(text) < 10 else None
