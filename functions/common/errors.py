"""The errors of the functions: failed work, refused requests, unreadable messages, write conflicts.

Botocore and HTTP errors are mapped to these once, where they are raised.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any


class WorkError(Exception):
    """A job's work failed. `code` is for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Permanent(WorkError):
    """A retry cannot succeed."""


class Transient(WorkError):
    """A retry may succeed."""


class RateLimited(Exception):
    """A budget is used up until `retry_at` (epoch ms). The job must wait."""

    def __init__(self, retry_at: int) -> None:
        super().__init__(f"rate limited until {retry_at}")
        self.retry_at = retry_at


class Cancelled(BaseException):
    """The job has ended while its work runs. Not an Exception, so that work does not catch it by accident."""


class Damaged(Exception):
    """An item, record, message or line that cannot be decoded. It must not affect others."""


class Poison(Damaged):
    """A message that no worker can parse."""


class WriteConflict(Exception):
    """A transaction was cancelled, because another writer changed an item first."""


@dataclass(frozen=True)
class FieldError:
    """An invalid field of a request, and what to send instead."""

    field: str
    message: str


@dataclass
class Problem(Exception):
    """A refused request, answered as RFC 9457 problem+json. `headers` are added to the response."""

    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)


def invalid(name: str, message: str) -> Problem:
    """Return a 400 problem that names one field."""
    return Problem(400, f"{name}: {message}", (FieldError(name, message),))


def problem_body(status: int, detail: str, errors: Iterable[FieldError] = ()) -> dict[str, Any]:
    """Return the body of a problem+json response: RFC 9457, with the invalid fields in `errors`.

    https://www.rfc-editor.org/rfc/rfc9457
    """
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": [{"field": error.field, "message": error.message} for error in errors],
    }
