"""Read the system clock. Everything else receives a `Clock`, so that tests control the time."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns epoch milliseconds."""


def now_ms() -> int:
    """Return the current time in epoch milliseconds."""
    return time.time_ns() // 1_000_000
