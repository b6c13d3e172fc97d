"""Parse the request for a new job, and check every field."""

import hashlib
import unicodedata
from dataclasses import dataclass

from functions.common.api import parse_json_object
from functions.common.errors import FieldError, Problem, invalid
from functions.common.job import to_json
from functions.common.queues import MAX_DELAY_SECONDS

DEFAULT_QUERY = "food"
MAX_QUERY = 80
MAX_BODY = 4096
MAX_KEY = 200
BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Characters that Unicode classifies as letters or symbols although they are blank."""


@dataclass(frozen=True)
class JobRequest:
    """A valid request. The work starts after `delay_seconds`."""

    query: str = DEFAULT_QUERY
    delay_seconds: int = 0

    @property
    def fingerprint(self) -> str:
        """Equal for requests with equal fields."""
        return hashlib.sha256(to_json([self.query, self.delay_seconds]).encode()).hexdigest()[:32]


def parse_job_request(body: str | None) -> JobRequest:
    """Parse the body of `POST /jobs`. Every field is optional. Raises Problem 400 or 413."""
    if body is not None and len(body) > MAX_BODY:
        message = f"must be at most {MAX_BODY} characters long"
        raise Problem(413, f"body: {message}", (FieldError("body", message),))
    values = parse_json_object(body, allowed=("query", "delay_seconds"))
    return JobRequest(
        query=_query(values.get("query", DEFAULT_QUERY)),
        delay_seconds=_delay(values.get("delay_seconds", 0)),
    )


def parse_idempotency_key(key: str | None) -> str | None:
    """Check the value of the Idempotency-Key header. Raises Problem 400."""
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY or not (key.isascii() and key.isprintable()):
        raise invalid("Idempotency-Key", f"must be 1 to {MAX_KEY} printable ASCII characters")
    return key


def _query(value: object) -> str:
    if not isinstance(value, str):
        raise invalid("query", "must be a string")
    query = value.strip()
    if not 1 <= len(query) <= MAX_QUERY:
        raise invalid(
            "query", f"must be 1 to {MAX_QUERY} characters long, without leading and trailing spaces"
        )
    # Cc: control characters; Cs: unpaired surrogates, which UTF-8 cannot encode
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in query):
        raise invalid("query", "must not contain control characters")
    if not any(_is_visible(character) for character in query):
        raise invalid("query", "must contain a visible character")
    return query


def _is_visible(character: str) -> bool:
    """Return whether it is a letter, number, punctuation or symbol that is not blank."""
    return unicodedata.category(character)[0] in "LNPS" and character not in BLANK_LETTERS


def _delay(value: object) -> int:
    # bool is an int in Python, but not in JSON
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_DELAY_SECONDS:
        raise invalid("delay_seconds", f"must be a whole number from 0 to {MAX_DELAY_SECONDS}")
    return value
