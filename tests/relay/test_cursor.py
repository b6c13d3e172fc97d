import pytest

from functions.sse_relay.cursor import LATE_MS, MAX_AGE_MS, OVERLAP_MS, Cursor, event_id, parse
from tests.relay.conftest import NOW


@pytest.mark.parametrize(
    ("text", "cursor"),
    [
        ("5", Cursor(5)),
        ("5.a1", Cursor(5, "a1")),
        ("5.a1.0", Cursor(5, "a1", 0)),
        ("5.a1.7", Cursor(5, "a1", 7)),
    ],
)
def test_an_id_names_time_relay_and_position(text: str, cursor: Cursor) -> None:
    assert parse(text) == cursor
    if cursor.relay:
        assert event_id(cursor.time, cursor.relay, cursor.position) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "-1",
        "5.",
        "5..1",
        "5.a.",
        "5.A.1",
        "5.a.1.2",
        "5.a.x",
        "²",
        "5\n",
        "9" * 16,
        "5.a." + "9" * 17,
        " 5",
    ],
)
def test_another_text_is_malformed(text: str) -> None:
    assert parse(text) is None


def test_a_list_is_resumed_with_a_short_overlap_and_an_event_with_the_longest_delay() -> None:
    assert Cursor(NOW).start(NOW) == NOW - OVERLAP_MS
    assert Cursor(NOW, "a", 3).start(NOW) == Cursor(NOW, "a").start(NOW) == NOW - LATE_MS


@pytest.mark.parametrize("age", [-OVERLAP_MS - 1, MAX_AGE_MS + 1])
def test_a_cursor_in_the_future_or_too_old_cannot_be_served(age: int) -> None:
    assert Cursor(NOW - age).start(NOW) is None
