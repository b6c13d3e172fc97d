"""How the streams end when the relay stops."""

import asyncio

import pytest

from functions.sse_relay.drain import end_one_by_one

DRAIN_SECONDS = 40.0


class Loop:
    """A clock that moves on only while somebody sleeps; every sleep ends `late` seconds too late."""

    def __init__(self, late: float) -> None:
        self.time = 1000.0
        self.late = late

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds + self.late


class Stream:
    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self.ended_at = 0.0

    def end(self) -> None:
        self.ended_at = self._loop.time


def drained(count: int, *, late: float = 0.0) -> tuple[list[float], float]:
    """Seconds from the start at which each of so many streams ends, and at which the drain does."""
    loop = Loop(late)
    streams = [Stream(loop) for _ in range(count)]
    start = loop.time
    asyncio.run(end_one_by_one(streams, DRAIN_SECONDS, loop.now, loop.sleep))
    return [stream.ended_at - start for stream in streams], loop.time - start


@pytest.mark.parametrize("count", [1, 5, 400])
def test_streams_end_at_equal_intervals_and_the_drain_when_its_time_is_up(count: int) -> None:
    ends, end = drained(count)
    assert ends == pytest.approx([DRAIN_SECONDS * number / count for number in range(count)])
    assert end == pytest.approx(DRAIN_SECONDS)


def test_without_streams_there_is_nothing_to_wait_for() -> None:
    assert drained(0) == ([], 0)


def test_a_busy_event_loop_does_not_make_the_drain_longer() -> None:
    """The load balancer breaks what is still open when its deregistration delay ends."""
    ends, end = drained(10_000, late=0.003)
    assert end < DRAIN_SECONDS + 0.01
    assert ends[5000] == pytest.approx(DRAIN_SECONDS / 2, abs=0.01)
