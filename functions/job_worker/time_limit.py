"""Interrupt work that takes too long."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

REPEAT_SECONDS = 1.0
"""The interruption is repeated, in case the work catches it."""


class TimedOut(BaseException):
    """The time has ended. Not an Exception, so that work does not catch it by accident."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimedOut in the main thread after a time, wherever it is. Use it only in the main thread."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise TimedOut

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, max(0.001, seconds), REPEAT_SECONDS)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
