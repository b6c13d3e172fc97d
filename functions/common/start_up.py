"""Prepare a function before its first event."""

import gc
import os
from collections.abc import Callable
from functools import cache
from typing import TypeVar

T = TypeVar("T")


def at_start(factory: Callable[[], T]) -> Callable[[], T]:
    """Return a factory that runs once per process: at import in Lambda, elsewhere on the first call.

    While a function starts, Lambda gives it a whole core regardless of its memory size, and SnapStart keeps
    the objects that exist after the start.
    """
    cached = cache(factory)
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        cached()
        gc.freeze()
        gc.enable()
    return cached
