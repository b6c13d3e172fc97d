"""Times of cron expressions, across both changes of the clocks."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.common.cron import InvalidCron, check_timezone, next_times, normalize_cron

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"


def epoch_ms(text: str) -> int:
    """Return a time with its offset, such as `2027-10-31T02:30+02:00`, in epoch ms."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def walk(cron: str, timezone: str, start: str, count: int) -> list[str]:
    """Return the times that a schedule runs at: each is asked for after the one before."""
    times: list[int] = []
    now = epoch_ms(start)
    for _ in range(count):
        (now,) = next_times(cron, timezone, now, 1)
        times.append(now)
    assert next_times(cron, timezone, epoch_ms(start), count) == times
    local = [datetime.fromtimestamp(time / 1000, ZoneInfo(timezone)) for time in times]
    return [f"{time:%d. %H:%M}{time:%z}"[:-2] for time in local]


@pytest.mark.parametrize(
    ("timezone", "cron", "start", "expected"),
    [
        # clocks go forward: the time does not exist
        (BERLIN, "30 2 * * *", "2027-03-27T12:00+01:00", ["28. 03:00+02", "29. 02:30+02"]),
        (NEW_YORK, "30 2 * * *", "2027-03-13T12:00-05:00", ["14. 03:00-04", "15. 02:30-04"]),
        (LORD_HOWE, "15 2 * * *", "2027-10-02T12:00+10:30", ["03. 02:30+11", "04. 02:15+11"]),
        (BERLIN, "0 2,3 * * *", "2027-03-27T12:00+01:00", ["28. 03:00+02", "29. 02:00+02", "29. 03:00+02"]),
        (BERLIN, "30 * * * *", "2027-03-28T00:59+01:00", ["28. 01:30+01", "28. 03:30+02"]),
        (BERLIN, "*/30 2 * * *", "2027-03-27T12:00+01:00", ["29. 02:00+02", "29. 02:30+02"]),
        # clocks go back: the time occurs twice
        (BERLIN, "30 2 * * *", "2027-10-30T12:00+02:00", ["31. 02:30+02", "01. 02:30+01"]),
        (NEW_YORK, "30 1 * * *", "2027-11-06T12:00-04:00", ["07. 01:30-04", "08. 01:30-05"]),
        (LORD_HOWE, "45 1 * * *", "2027-04-03T12:00+11:00", ["04. 01:45+11", "05. 01:45+10"]),
        (BERLIN, "*/30 2 * * *", "2027-10-30T12:00+02:00", ["31. 02:00+02", "31. 02:30+02", "01. 02:00+01"]),
        (BERLIN, "0 1-3 * * *", "2027-10-30T23:00+02:00", ["31. 01:00+02", "31. 02:00+02", "31. 03:00+01"]),
        # every hour, also the repeated one
        (BERLIN, "30 * * * *", "2027-10-31T01:00+02:00", ["31. 01:30+02", "31. 02:30+02", "31. 02:30+01"]),
        (
            LORD_HOWE,
            "*/15 * * * *",
            "2027-04-04T01:31+11:00",
            ["04. 01:45+11", "04. 01:30+10", "04. 01:45+10"],
        ),
    ],
)
def test_times_when_the_clocks_change(timezone: str, cron: str, start: str, expected: list[str]) -> None:
    assert walk(cron, timezone, start, len(expected)) == expected


@pytest.mark.parametrize(
    ("timezone", "start", "end"),
    [
        (BERLIN, "2027-10-31T00:30+02:00", "2027-10-31T04:00+01:00"),
        (NEW_YORK, "2027-11-07T00:30-04:00", "2027-11-07T04:00-05:00"),
        (LORD_HOWE, "2027-04-04T00:30+11:00", "2027-04-04T04:00+10:30"),
    ],
)
def test_a_time_that_occurs_twice_fires_once_whenever_the_next_one_is_asked_for(
    timezone: str, start: str, end: str
) -> None:
    """The next time is after now at every minute of the change, also while the wall clock repeats."""
    for cron in ("45 1 * * *", "30 2 * * *", "15,45 1-2 * * *"):
        times = set()
        for now in range(epoch_ms(start), epoch_ms(end), 60_000):
            (time,) = next_times(cron, timezone, now, 1)
            assert time > now
            times.add(time)
        of_that_day = [time for time in times if time <= epoch_ms(end)]
        walls = [
            datetime.fromtimestamp(time / 1000, ZoneInfo(timezone)).strftime("%H:%M") for time in of_that_day
        ]
        assert len(walls) == len(set(walls))


def test_the_next_time_is_never_now() -> None:
    now = epoch_ms("2027-01-01T10:00+00:00")
    assert next_times("0 10 * * *", "UTC", now - 1, 1) == [now]
    assert next_times("0 10 * * *", "UTC", now, 1) == [now + 24 * 3_600_000]
    assert next_times("0 10 * * *", "UTC", now + 999, 1) == [now + 24 * 3_600_000]


def test_an_expression_is_stored_with_single_spaces() -> None:
    assert normalize_cron(" 0\t9  * *  mon-FRI ") == "0 9 * * mon-FRI"


@pytest.mark.parametrize(
    ("cron", "reason"),
    [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("0 * * * * *", "five fields"),
        ("@daily", "five fields"),
        ("0 9 * * " + "1," * 60 + "1", "100 characters"),
        ("٣ * * * *", "five fields"),
        ("60 * * * *", "minute: it must be 0 to 59"),
        ("*/0 * * * *", "minute"),
        ("5-1 * * * *", "minute"),
        ("0 24 * * *", "hour"),
        ("0 0 32 * *", "day-of-month"),
        ("0 0 30 2 *", "day-of-month"),
        ("0 0 1 13 *", "month: it must be 1 to 12"),
        ("0 0 * * 8", "day-of-week"),
        ("0 0 * * MOON", "day-of-week"),
        ("a b c d e", "minute"),
        ("9" * 90 + " * * * *", "minute"),
    ],
)
def test_an_invalid_expression_is_refused_with_what_to_send(cron: str, reason: str) -> None:
    with pytest.raises(InvalidCron, match=reason) as refusal:
        normalize_cron(cron)
    assert "0 9 * * 1-5" in str(refusal.value)


@given(st.one_of(st.text(max_size=30), st.text("0123456789*/-,LW#MON ", max_size=30)))
def test_any_text_is_refused_or_has_times(text: str) -> None:
    try:
        cron = normalize_cron(text)
    except InvalidCron:
        return
    for timezone in (BERLIN, LORD_HOWE):
        times = next_times(cron, timezone, epoch_ms("2027-01-01T00:00+00:00"), 3)
        assert times == sorted(set(times))


@pytest.mark.parametrize("name", ["UTC", BERLIN, NEW_YORK, "Asia/Calcutta", "Etc/GMT+5"])
def test_names_of_time_zones_are_accepted(name: str) -> None:
    check_timezone(name)


@pytest.mark.parametrize(
    "name",
    ["", "Berlin", "europe/berlin", "Europe", "../zone", "/etc/localtime", "localtime", "Europe/Berlin\0"],
)
def test_other_names_are_refused(name: str) -> None:
    for check in (lambda: check_timezone(name), lambda: next_times("0 0 * * *", name, 0, 1)):
        with pytest.raises(InvalidCron, match="Europe/Berlin"):
            check()
