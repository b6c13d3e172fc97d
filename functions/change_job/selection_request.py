"""Parse which jobs a caller wants to cancel or retry."""

from collections.abc import Collection, Mapping
from typing import Any

from functions.change_job.change_jobs import Selection
from functions.common.api import parse_json_object, printable
from functions.common.errors import invalid
from functions.common.job import Status
from functions.common.job_filter import JobFilter, parse_code, parse_kind

FIELDS = ("kind", "status", "code", "limit")
MAX_LIMIT = 100
RETRIABLE: tuple[Status, ...] = ("error", "cancelled")
CANCELLABLE: tuple[Status, ...] = ("pending",)


def parse_retry(body: str | None, owner: str, kinds: Collection[str]) -> Selection:
    """Parse the body of `POST /jobs/retry`. Every field is optional. Raises Problem 400."""
    values = _parse(body)
    kind = parse_kind(values.get("kind"))
    if kind is not None and kind not in kinds:
        raise invalid("kind", f"must be one of {', '.join(sorted(kinds))}; jobs of others cannot be retried")
    status = _status(values, RETRIABLE)
    code = parse_code(values.get("code"))
    if code is not None and status != "error":
        raise invalid("code", "is for jobs that ended in error; leave out status, or set it to error")
    return Selection(owner, JobFilter(status, kind, code), _limit(values))


def parse_cancel(body: str | None, owner: str) -> Selection:
    """Parse the body of `POST /jobs/cancel`. Every field is optional. Raises Problem 400."""
    values = _parse(body)
    if values.get("code") is not None:
        raise invalid(
            "code", "is for jobs that ended in error; leave it out, because a pending job has no error"
        )
    status = _status(values, CANCELLABLE)
    return Selection(owner, JobFilter(status, parse_kind(values.get("kind"))), _limit(values))


def check_query(query: Mapping[str, str]) -> None:
    """Check the names of the parameters. Raises Problem 400."""
    for name in query:
        if name != "owner":
            raise invalid("query string", "may only have owner; the other fields are in the body")


def _parse(body: str | None) -> dict[str, Any]:
    values = parse_json_object(body)
    for name, value in values.items():
        if name not in FIELDS:
            raise invalid(printable(name), f"is not a field; the fields are {', '.join(FIELDS)}")
        if value is None:
            raise invalid(name, "must not be null; leave it out if it does not matter")
    return values


def _status(values: Mapping[str, Any], allowed: tuple[Status, ...]) -> Status:
    """Return the status of the jobs. By default it is the first that is allowed."""
    for status in allowed:
        if values.get("status", allowed[0]) == status:
            return status
    raise invalid("status", f"must be {' or '.join(allowed)}")


def _limit(values: Mapping[str, Any]) -> int:
    limit = values.get("limit", MAX_LIMIT)
    # bool is an int in Python, but not in JSON
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MAX_LIMIT:
        raise invalid("limit", f"must be a whole number from 1 to {MAX_LIMIT}")
    return limit
