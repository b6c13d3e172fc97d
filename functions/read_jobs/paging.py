"""Parse which page of the list a caller requests, and encode cursors."""

import base64
import re
from dataclasses import dataclass

from functions.common.errors import invalid
from functions.common.identity import ALL_OWNERS
from functions.common.job import STATUSES, Status
from functions.common.names import is_name

DEFAULT_SIZE = 20
MAX_SIZE = 100
MAX_OFFSET = 1000
"""Jobs before the start of a page. An index cannot skip entries, so a deep page reads all jobs before it."""

CURSOR = re.compile(r"\d{13}#[0-9a-f-]{36}")


@dataclass(frozen=True)
class PageRequest:
    """Request `size` jobs of one status or kind, or of all: page `page` (from 1), or after a created_key."""

    page: int = 1
    size: int = DEFAULT_SIZE
    after: str | None = None
    status: Status | None = None
    kind: str | None = None

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size


def parse_page_request(parameters: dict[str, str]) -> PageRequest:
    """Parse the query string of `GET /jobs`. Raises Problem 400 that names the invalid parameter."""
    for name in parameters:
        if name not in ("page", "pageSize", "cursor", "status", "kind", "owner"):
            raise invalid("query string", "may only have page, pageSize, cursor, status, kind and owner")
    size = _number("pageSize", parameters.get("pageSize", str(DEFAULT_SIZE)), MAX_SIZE)
    status, kind = _status(parameters.get("status")), _kind(parameters.get("kind"))
    if "cursor" in parameters:
        if "page" in parameters:
            raise invalid("cursor", "cannot be given together with page")
        after = decode_cursor(parameters["cursor"])
        return PageRequest(size=size, after=after, status=status, kind=kind)
    number = _number("page", parameters.get("page", "1"), 10**9)
    page = PageRequest(page=number, size=size, status=status, kind=kind)
    if page.offset and parameters.get("owner") == ALL_OWNERS:
        raise invalid("page", "must be 1 for all owners; to read further, pass next_cursor as ?cursor=")
    if page.offset > MAX_OFFSET:
        message = f"may start at most {MAX_OFFSET} jobs deep; to read further, pass next_cursor as ?cursor="
        raise invalid("page", message)
    return page


def encode_cursor(key: str) -> str:
    """Return an opaque cursor for the position after this created_key."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """Return the created_key of a cursor. Raises Problem 400."""
    try:
        key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        key = ""
    if not CURSOR.fullmatch(key):
        raise invalid("cursor", "must be the next_cursor of an earlier response")
    return key


def _number(name: str, text: str, maximum: int) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text) or not 1 <= int(text) <= maximum:
        raise invalid(name, f"must be a whole number from 1 to {maximum}")
    return int(text)


def _status(text: str | None) -> Status | None:
    for status in STATUSES:
        if status == text:
            return status
    if text is not None:
        raise invalid("status", f"must be one of {', '.join(STATUSES)}")
    return None


def _kind(text: str | None) -> str | None:
    """Any name: jobs of a kind that does not exist any more can be listed, too."""
    if text is not None and not is_name(text):
        raise invalid("kind", "must be the name of a kind, as in GET /kinds")
    return text
