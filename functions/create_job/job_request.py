"""What a caller asks for, checked field by field."""

import hashlib
import unicodedata
from dataclasses import dataclass

from functions.common.api import json_object
from functions.common.errors import FieldError, Problem, invalid
from functions.common.job import to_json

DEFAULT_QUERY = "food"
MAX_QUERY = 80
MAX_DELAY = 900
"""Seconds; what SQS can delay a message."""
MAX_BODY = 4096
MAX_KEY = 200


@dataclass(frozen=True)
class JobRequest:
    """A checked request. `delay_seconds`: wait so long before the work begins."""

    query: str = DEFAULT_QUERY
    delay_seconds: int = 0

    @property
    def fingerprint(self) -> str:
        """The same for requests that ask for the same."""
        return hashlib.sha256(to_json([self.query, self.delay_seconds]).encode()).hexdigest()[:32]


def parse_job_request(body: str | None) -> JobRequest:
    """Read the body of `POST /jobs`; all of it is optional. Raises Problem 400 or 413."""
    if body is not None and len(body) > MAX_BODY:
        message = f"must be at most {MAX_BODY} characters long"
        raise Problem(413, f"body: {message}", (FieldError("body", message),))
    values = json_object(body, known=("query", "delay_seconds"))
    return JobRequest(
        query=_query(values.get("query", DEFAULT_QUERY)),
        delay_seconds=_delay(values.get("delay_seconds", 0)),
    )


def parse_idempotency_key(key: str | None) -> str | None:
    """The header's value, checked. Raises Problem 400."""
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
        raise invalid("query", f"must be 1 to {MAX_QUERY} characters long, without the spaces around it")
    # Cc: control characters; Cs: half of a surrogate pair, which no UTF-8 can carry
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in query):
        raise invalid("query", "must have no control characters")
    return query


def _delay(value: object) -> int:
    # bool is an int in Python, but not in JSON
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_DELAY:
        raise invalid("delay_seconds", f"must be a whole number from 0 to {MAX_DELAY}")
    return value
