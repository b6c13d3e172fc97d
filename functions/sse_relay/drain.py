"""Ends the streams one by one when the relay stops."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence


async def call_at_intervals(
    callbacks: Sequence[Callable[[], object]],
    seconds: float,
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Call the callbacks at equal intervals, the first one immediately. Return after `seconds`.

    Each callback has a fixed time, counted from the start. Pauses between callbacks would add up: each pause
    takes longer than requested when the event loop is busy, and the load balancer does not wait.
    """
    start = now()
    for number, callback in enumerate(callbacks, 1):
        callback()
        await sleep(max(0.0, start + seconds * number / len(callbacks) - now()))
