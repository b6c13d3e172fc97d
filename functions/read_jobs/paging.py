"""What part of the list a caller asks for, checked, and cursors that hold their place."""

import base64
import re
from dataclasses import dataclass

from functions.common.errors import invalid
from functions.common.job import STATUSES, Status

DEFAULT_SIZE = 20
MAX_SIZE = 100
MAX_OFFSET = 1000
"""Jobs before a page. An index has no way to skip, so a deep page would read all before it."""

CURSOR = re.compile(r"\d{13}#[0-9a-f-]{36}")


@dataclass(frozen=True)
class PageRequest:
    """Page `page` (from 1), or what comes after the sort key `after`; `size` jobs; of one status or all."""

    page: int = 1
    size: int = DEFAULT_SIZE
    after: str | None = None
    status: Status | None = None

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size


def parse_page_request(parameters: dict[str, str]) -> PageRequest:
    """Read the query of `GET /jobs`. Raises Problem 400 naming the parameter."""
    for name in parameters:
        if name not in ("page", "pageSize", "cursor", "status"):
            raise invalid("query string", "may have page, pageSize, cursor and status only")
    size = _number("pageSize", parameters.get("pageSize", str(DEFAULT_SIZE)), MAX_SIZE)
    status = _status(parameters.get("status"))
    if "cursor" in parameters:
        if "page" in parameters:
            raise invalid("cursor", "cannot be given together with page")
        return PageRequest(size=size, after=decode_cursor(parameters["cursor"]), status=status)
    page = PageRequest(page=_number("page", parameters.get("page", "1"), 10**9), size=size, status=status)
    if page.offset > MAX_OFFSET:
        message = f"may begin at most {MAX_OFFSET} jobs deep; follow next_cursor with ?cursor= from there"
        raise invalid("page", message)
    return page


def encode_cursor(sort_key: str) -> str:
    """An opaque cursor for the place after this sort key."""
    return base64.urlsafe_b64encode(sort_key.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """The sort key that a cursor was made of. Raises Problem 400."""
    try:
        sort_key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        sort_key = ""
    if not CURSOR.fullmatch(sort_key):
        raise invalid("cursor", "must be the next_cursor of an earlier answer")
    return sort_key


def _number(name: str, text: str, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text) or not 1 <= int(text) <= most:
        raise invalid(name, f"must be a whole number from 1 to {most}")
    return int(text)


def _status(text: str | None) -> Status | None:
    for status in STATUSES:
        if status == text:
            return status
    if text is not None:
        raise invalid("status", f"must be one of {', '.join(STATUSES)}")
    return None
