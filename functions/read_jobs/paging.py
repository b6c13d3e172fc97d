"""Parse which page of the list a caller requests, and encode cursors."""

import base64
import re
from dataclasses import dataclass

from functions.common.errors import invalid
from functions.common.identity import ALL_OWNERS
from functions.common.job_filter import JobFilter, parse_code, parse_kind, parse_status, parse_text

DEFAULT_SIZE = 20
MAX_SIZE = 100
MAX_OFFSET = 1000
"""Jobs before the start of a page. An index cannot skip entries, so a deep page reads all jobs before it."""

PARAMETERS = ("page", "pageSize", "cursor", "status", "kind", "code", "since", "until", "text", "owner")
ALL_JOBS = JobFilter()
CURSOR = re.compile(r"\d{13}#[0-9a-f-]{36}")


@dataclass(frozen=True)
class PageRequest:
    """Request `size` jobs that match `wanted`: page `page` (from 1), or after a created_key."""

    page: int = 1
    size: int = DEFAULT_SIZE
    after: str | None = None
    wanted: JobFilter = ALL_JOBS

    @property
    def is_counted(self) -> bool:
        """Whether the ledger has the number of the jobs that match."""
        return self.wanted == JobFilter(self.wanted.status, self.wanted.kind)

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size


def parse_page_request(parameters: dict[str, str]) -> PageRequest:
    """Parse the query string of `GET /jobs`. Raises Problem 400 that names the invalid parameter."""
    for name in parameters:
        if name not in PARAMETERS:
            raise invalid("query string", f"may only have {', '.join(PARAMETERS[:-1])} and {PARAMETERS[-1]}")
    size = _number("pageSize", parameters.get("pageSize", str(DEFAULT_SIZE)), MAX_SIZE)
    wanted = _filter(parameters)
    if "cursor" in parameters:
        if "page" in parameters:
            raise invalid("cursor", "cannot be given together with page")
        return PageRequest(size=size, after=decode_cursor(parameters["cursor"]), wanted=wanted)
    page = PageRequest(page=_number("page", parameters.get("page", "1"), 10**9), size=size, wanted=wanted)
    if page.offset and (parameters.get("owner") == ALL_OWNERS or not page.is_counted):
        raise invalid(
            "page",
            "must be 1 for all owners, and with code, since, until or text; pass next_cursor as ?cursor=",
        )
    if page.offset > MAX_OFFSET:
        message = f"may start at most {MAX_OFFSET} jobs deep; to read further, pass next_cursor as ?cursor="
        raise invalid("page", message)
    return page


def _filter(parameters: dict[str, str]) -> JobFilter:
    since, until = (_time(name, parameters.get(name)) for name in ("since", "until"))
    if since is not None and until is not None and since >= until:
        raise invalid("until", "must be after since")
    status, code = parse_status(parameters.get("status")), parse_code(parameters.get("code"))
    if code is not None:
        if status not in (None, "error"):
            raise invalid("code", "is for jobs that ended in error; leave out status, or set it to error")
        status = "error"
    kind, text = parse_kind(parameters.get("kind")), parse_text(parameters.get("text"))
    return JobFilter(status, kind, code, since, until, text)


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


def _time(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,13}", text):
        raise invalid(name, "must be a time in epoch milliseconds")
    return int(text)
