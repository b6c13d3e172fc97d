from typing import Any

from functions.sse_relay.job_change import JobChange
from functions.sse_relay.ring import Ring
from tests.relay.conftest import change


def numbered(count: int, **fields: Any) -> list[JobChange]:
    return [change(number, **fields) for number in range(count)]


def test_the_newest_changes_are_kept() -> None:
    ring, changes = Ring(3, 10**6), numbered(5)
    for position, each in enumerate(changes, 1):
        ring.append(10 * position, each)
    assert len(ring) == 3
    for owner in ("public", None):
        assert ring.complete_from(owner) == 20
        assert ring.since(owner, 30) == changes[3:]
        assert ring.since(owner, 29) == ring.since(owner, 20) == changes[2:]
        assert ring.since(owner, 50) == []
        assert ring.since(owner, 19) is None


def test_the_bytes_are_bounded_too() -> None:
    changes = numbered(5, text="x" * 1000)
    ring = Ring(100, 2 * len(changes[0].chunk))
    for position, each in enumerate(changes, 1):
        ring.append(position, each)
    assert ring.since(None, 3) == changes[3:]
    assert len(ring) == 2
    ring.append(6, change(9, text="x" * 5000))
    assert len(ring) == 0
    ring.append(7, changes[0])
    assert ring.since(None, 6) == ring.since("public", 6) == changes[:1]


def test_the_changes_of_each_owner_are_kept_apart() -> None:
    ring = Ring(3, 10**6)
    changes = [change(number, owner=owner) for number, owner in enumerate("abbabb")]
    for position, each in enumerate(changes, 1):
        ring.append(position, each)
    assert ring.since("a", 3) == [changes[3]]
    assert ring.since("b", 3) == changes[4:]
    assert ring.since(None, 3) == changes[3:]
    assert ring.complete_from("a") == 1, "only the first change of `a` was dropped"
    assert ring.since("b", 2) is None
    ring.append(7, change(9, owner="b"))
    assert ring.since("a", 4) == []
    assert ring.since("a", 3) is None
    assert ring.complete_from("another") == 4
