"""Parse the bodies of `POST /schedules` and `PATCH /schedules/{id}`, and check every field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from functions.common.api import parse_json_object, printable
from functions.common.cron import EXAMPLE, InvalidCron, check_timezone, normalize_cron
from functions.common.errors import Problem, invalid
from functions.common.job import PHOTO
from functions.common.kind import Kind
from functions.common.kind_input import MAX_BODY, find_kind, parse_input

CHANGEABLE = ("input", "cron", "timezone", "paused")
FIELDS = ("kind", *CHANGEABLE)
DEFAULT_TIMEZONE = "UTC"


@dataclass(frozen=True)
class ScheduleRequest:
    """A valid request for a new schedule. The input is complete: it has the defaults, too."""

    kind: str
    input: dict[str, Any]
    cron: str
    timezone: str = DEFAULT_TIMEZONE
    paused: bool = False


def parse_schedule_request(body: str | None, kinds: Mapping[str, Kind]) -> ScheduleRequest:
    """Parse the body of `POST /schedules`. Only `cron` is required. Raises Problem 400 or 413."""
    values = _parse_fields(body, FIELDS)
    kind = find_kind(values.get("kind", PHOTO), kinds)
    if "cron" not in values:
        raise invalid("cron", f"is required, like {EXAMPLE}")
    return ScheduleRequest(
        kind=kind.name,
        input=parse_input(values.get("input", {}), kind, path="input"),
        cron=_cron(values["cron"]),
        timezone=_timezone(values.get("timezone", DEFAULT_TIMEZONE)),
        paused=_paused(values.get("paused", False)),
    )


def parse_schedule_change(body: str | None) -> dict[str, Any]:
    """Return the fields of the body of `PATCH /schedules/{id}`. Raises Problem 400 or 413.

    The input is only parsed: which fields it may have depends on the schedule.
    """
    values = _parse_fields(body, CHANGEABLE)
    if not values:
        raise invalid("body", f"must have at least one of the fields {', '.join(CHANGEABLE)}")
    checks: dict[str, Callable[[object], object]] = {"cron": _cron, "timezone": _timezone, "paused": _paused}
    return {name: checks[name](value) if name in checks else value for name, value in values.items()}


def _parse_fields(body: str | None, fields: tuple[str, ...]) -> dict[str, Any]:
    values = parse_json_object(body, MAX_BODY)
    for name in values:
        if name == "kind" and name not in fields:
            raise invalid(name, "cannot be changed; create a schedule of the other kind and delete this one")
        if name not in fields:
            raise invalid(printable(name), f"is not a field; the fields are {', '.join(fields)}")
    return values


def _cron(value: object) -> str:
    return _checked("cron", value, normalize_cron)


def _timezone(value: object) -> str:
    def check(name: str) -> str:
        check_timezone(name)
        return name

    return _checked("timezone", value, check)


def _checked(name: str, value: object, check: Callable[[str], str]) -> str:
    if not isinstance(value, str):
        raise invalid(name, "must be text")
    try:
        return check(value)
    except InvalidCron as reason:
        raise invalid(name, str(reason)) from None


def _paused(value: object) -> bool:
    if not isinstance(value, bool):
        raise invalid("paused", "must be true or false")
    return value


def parse_list_query(query: Mapping[str, str]) -> None:
    """Check the query string of `GET /schedules`. Raises Problem 400."""
    if any(name != "owner" for name in query):
        raise invalid("query string", "may only have owner; all schedules of an owner are listed together")


def no_such_schedule(schedule_id: str) -> Problem:
    """Return the answer for a schedule that does not exist, or is another owner's."""
    return Problem(404, f"there is no schedule {schedule_id}")
