"""The one place that reads the wall clock; everything else is handed a `Clock`."""

import time
from collections.abc import Callable

Clock = Callable[[], int]


def now_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000
