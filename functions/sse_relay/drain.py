"""How the streams end when the relay stops."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol


class Endable(Protocol):
    """A stream, as far as draining is concerned."""

    def end(self) -> None: ...


async def end_one_by_one(
    streams: Sequence[Endable],
    seconds: float,
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """End the streams at equal intervals, the first one at once. Return when the time is up.

    Each stream has a fixed time, counted from the start. Pauses from one stream to the next would add up:
    each takes longer than asked for when the event loop is busy, and the load balancer does not wait.
    """
    start = now()
    for number, stream in enumerate(streams, 1):
        stream.end()
        await sleep(max(0.0, start + seconds * number / len(streams) - now()))
