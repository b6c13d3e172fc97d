"""Unsplash: one request for up to 30 random photos of a topic.

https://unsplash.com/documentation#get-a-random-photo
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests

from functions.common.errors import Permanent, RateLimited, Transient
from functions.job_worker.download import Download, NotAllowed, TooLarge

MAX_COUNT = 30
MAX_ANSWER = 4_000_000
"""Bytes; 30 photos are about 150,000."""
PASSING = (408, 425)
"""Request Timeout and Too Early, which say themselves that a later try may succeed."""
MAX_PIXELS = 1_000_000
RATE_LIMIT_TEXT = "rate limit exceeded"
CREDIT = urlencode({"utm_source": "calo", "utm_medium": "referral"})
"""What the guidelines ask credits to carry: https://help.unsplash.com/en/articles/2511315-guideline-attribution"""


@dataclass(frozen=True)
class PhotoPage:
    """The photos of one answer in the contract's form, and how many requests the answer says are left."""

    photos: list[dict[str, Any]]
    remaining: int | None


class Unsplash:
    """The API behind one access key."""

    def __init__(self, api_url: str, access_key: Callable[[], str], download: Download) -> None:
        self._api_url = api_url.rstrip("/")
        self._access_key = access_key
        self._download = download

    def random_photos(self, topic: str, count: int) -> PhotoPage:
        """Ask for `count` (1..30) photos of a topic.

        Raises RateLimited (its `retry_at` is 0: the answer does not say), Permanent or Transient.
        """
        query = urlencode({"count": min(count, MAX_COUNT), "query": topic})
        headers = {"Authorization": f"Client-ID {self._access_key()}", "Accept-Version": "v1"}
        try:
            answer = self._download.get(f"{self._api_url}/photos/random?{query}", headers, MAX_ANSWER)
        except TooLarge as error:
            raise Transient("bad_answer", "Unsplash's answer was too large") from error
        except NotAllowed as error:
            raise Transient("bad_answer", "Unsplash sent us elsewhere") from error
        except requests.RequestException as error:
            raise Transient("unreachable", f"Unsplash did not answer ({type(error).__name__})") from error
        if answer.status != 200:
            raise _refusal(answer.status, answer.body, topic)
        return PhotoPage(_photos(answer.body), _remaining(answer.headers))


def _refusal(status: int, body: bytes, topic: str) -> Exception:
    text = body[:200].decode(errors="replace")
    if status == 429 or (status == 403 and RATE_LIMIT_TEXT in text.lower()):
        return RateLimited(0)
    if status == 401:
        return Permanent("unauthorized", "Unsplash refused the access key")
    if status == 403:
        return Permanent("forbidden", "Unsplash refused the request (403)")
    if status == 404:
        return Permanent("no_photos", f"Unsplash has no photos for “{topic}”")
    if 400 <= status < 500 and status not in PASSING:
        return Permanent("rejected", f"Unsplash rejected the request ({status})")
    return Transient("unavailable", f"Unsplash is unavailable ({status})")


def _photos(body: bytes) -> list[dict[str, Any]]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Transient("bad_answer", "Unsplash's answer was no JSON") from error
    entries = answer if isinstance(answer, list) else [answer]
    photos = [photo for photo in map(_photo, entries) if photo]
    if not photos:
        raise Transient("bad_answer", "Unsplash's answer had no photo in it")
    return photos


def _photo(entry: Any) -> dict[str, Any] | None:
    """The contract's photo object, or None if the entry lacks what a job needs."""
    try:
        user, urls = entry["user"], entry["urls"]
        photo = {
            "id": entry["id"],
            "width": entry["width"],
            "height": entry["height"],
            "color": entry.get("color"),
            "blur_hash": entry.get("blur_hash"),
            "alt": entry.get("alt_description") or entry.get("description"),
            "small": urls["small"],
            "regular": urls["regular"],
            "photographer": {"name": user["name"], "url": _credited(user["links"]["html"])},
            "page": _credited(entry["links"]["html"]),
        }
    except (KeyError, TypeError, AttributeError, ValueError):
        return None
    return photo if _well_formed(photo) else None


def _well_formed(photo: dict[str, Any]) -> bool:
    """Texts are texts and sizes are sizes; an id that could leave its folder in the bucket is none."""
    texts = [photo["id"], photo["small"], photo["regular"], photo["photographer"]["name"]]
    optional = [photo["color"], photo["blur_hash"], photo["alt"]]
    sizes = [photo["width"], photo["height"]]
    return (
        all(_is_text(text) for text in texts)
        and all(photo[size].startswith(("https://", "http://")) for size in ("small", "regular"))
        and all(text is None or _is_text(text) for text in optional)
        and all(type(size) is int and 0 < size <= MAX_PIXELS for size in sizes)
        and photo["id"].replace("-", "").replace("_", "").isalnum()
        and photo["id"].isascii()
    )


def _is_text(value: Any) -> bool:
    """Text that can be stored: not empty, without half of a surrogate pair."""
    return isinstance(value, str) and 0 < len(value.encode("utf-8", "ignore")) == len(
        value.encode("utf-8", "surrogatepass")
    )


def _credited(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"no web address: {url}")
    return parts._replace(query="&".join(filter(None, [parts.query, CREDIT]))).geturl()


def _remaining(headers: dict[str, str]) -> int | None:
    text = headers.get("x-ratelimit-remaining", "")
    return int(text) if text.isdecimal() and len(text) < 10 else None
