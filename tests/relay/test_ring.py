from typing import Any

from functions.sse_relay.job_change import JobChange
from functions.sse_relay.ring import Ring
from tests.relay.conftest import change


def numbered(count: int, **fields: Any) -> list[JobChange]:
    return [change(number, **fields) for number in range(count)]


def test_the_newest_changes_are_kept() -> None:
    ring, changes = Ring(3, 10**6), numbered(5)
    ring.extend(changes, 1.0)
    assert len(ring) == 3
    assert ring.last(2) == changes[3:]
    assert ring.last(0) == []
    assert ring.last(4) is None


def test_the_bytes_are_bounded_too() -> None:
    changes = numbered(5, text="x" * 1000)
    ring = Ring(100, 2 * len(changes[0].chunk))
    for each in changes:
        ring.extend([each], 1.0)
    assert ring.last(2) == changes[3:]
    assert len(ring) == 2
    ring.extend([change(9, text="x" * 5000)], 1.0)
    assert len(ring) == 0
    ring.extend(changes[:1], 1.0)
    assert ring.last(1) == changes[:1]


def test_changes_are_counted_by_time() -> None:
    ring = Ring(100, 10**6)
    for time in (1.0, 2.0, 3.0):
        ring.extend(numbered(2), time)
    assert [ring.count_since(start) for start in (0.0, 2.0, 2.5, 4.0)] == [6, 4, 2, 0]
