"""How the streams end when the relay stops."""

import asyncio

import pytest

from functions.sse_relay.drain import call_at_intervals

DRAIN_SECONDS = 40.0


class Loop:
    """A clock that advances only during a sleep; every sleep takes `late` seconds too long."""

    def __init__(self, late: float) -> None:
        self.time = 1000.0
        self.late = late

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds + self.late


def call_times(count: int, *, late: float = 0.0) -> tuple[list[float], float]:
    """Return when each of `count` callbacks is called and when the drain ends, in seconds from the start."""
    loop = Loop(late)
    start = loop.time
    times: list[float] = []
    callbacks = [lambda: times.append(loop.time - start)] * count
    asyncio.run(call_at_intervals(callbacks, DRAIN_SECONDS, loop.now, loop.sleep))
    return times, loop.time - start


@pytest.mark.parametrize("count", [1, 5, 400])
def test_calls_are_at_equal_intervals_and_the_drain_ends_on_time(count: int) -> None:
    times, end = call_times(count)
    assert times == pytest.approx([DRAIN_SECONDS * number / count for number in range(count)])
    assert end == pytest.approx(DRAIN_SECONDS)


def test_a_drain_without_streams_ends_immediately() -> None:
    assert call_times(0) == ([], 0)


def test_a_busy_event_loop_does_not_make_the_drain_longer() -> None:
    """The load balancer closes open connections when its deregistration delay ends."""
    times, end = call_times(10_000, late=0.003)
    assert end < DRAIN_SECONDS + 0.01
    assert times[5000] == pytest.approx(DRAIN_SECONDS / 2, abs=0.01)
