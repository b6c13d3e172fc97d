"""Times of cron expressions: five fields and a time zone, as Debian's cron understands them.

Only the functions whose bundle has the package `cronsim` import this module.

When clocks go forward, a time that does not exist is moved to the first one after the gap; an expression
whose minute or hour is written with `*` has no time in the gap. When they go back, a time that occurs twice
counts once. But an hour that is written with `*` means every hour, so such an expression has times in both of
the repeated hours. Except for the second rule, this is cronsim's way: https://github.com/cuu508/cronsim.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

MAX_LENGTH = 100
"""Characters of an expression."""
EXAMPLE = "0 9 * * 1-5 (at 9:00, Monday to Friday)"
RANGES = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day-of-month": "1 to 31 or L (the last), and exist in one of the months",
    "month": "1 to 12 or JAN to DEC",
    "day-of-week": "0 to 7 or SUN to SAT (0 and 7 are Sunday)",
}


class InvalidCron(Exception):
    """An expression or a time zone that cannot be used. The message says what to use instead."""


def normalize_cron(text: str) -> str:
    """Return an expression with single spaces. Raises InvalidCron, also if it never occurs."""
    fields = text.split()
    if not text.isascii() or len(text) > MAX_LENGTH or len(fields) != len(RANGES):
        raise InvalidCron(
            "must have five fields (minute, hour, day of month, month, day of week) and at most"
            f" {MAX_LENGTH} characters, like {EXAMPLE}"
        )
    cron = " ".join(fields)
    if not next_times(cron, "UTC", 0, 1):
        raise InvalidCron("has no time within 50 years; use a day that exists in one of the months")
    return cron


def check_timezone(name: str) -> None:
    """Raise InvalidCron unless this is the name of a time zone, in its exact spelling."""
    if name not in _timezones():
        raise InvalidCron("must be the IANA name of a time zone, like Europe/Berlin, or UTC")


def next_times(cron: str, timezone: str, after: int, count: int) -> list[int]:
    """Return the next times of an expression after a time (epoch ms). There may be fewer than `count`.

    Raises InvalidCron.
    """
    return list(islice(_times(cron, timezone, after), count))


def _times(cron: str, timezone: str, after: int) -> Iterator[int]:
    check_timezone(timezone)
    # cronsim takes the hour of the wall clock, which repeats when clocks go back: so compare with `after`
    start = datetime.fromtimestamp(after // 1000, UTC).astimezone(ZoneInfo(timezone))
    is_every_hour = cron.split()[1].startswith("*")
    try:
        for time in CronSim(cron, start):
            epoch_ms = round(time.timestamp() * 1000)
            if epoch_ms > after and (is_every_hour or not time.fold):
                yield epoch_ms
    except CronSimError as error:
        name = str(error).removeprefix("Bad ")
        reason = f"has an invalid {name}: it must be {RANGES[name]}" if name in RANGES else str(error)
        raise InvalidCron(f"{reason}, as in {EXAMPLE}") from error
    except OverflowError:  # after the year 9999
        return


@cache
def _timezones() -> frozenset[str]:
    """Return the names of tzdata. Those of the system differ between machines."""
    return frozenset(files("tzdata").joinpath("zones").read_text().split())
