"""What a function prepares before its first event."""

import gc
import os
from collections.abc import Callable
from functools import cache
from typing import TypeVar

Made = TypeVar("Made")


def at_start(factory: Callable[[], Made]) -> Callable[[], Made]:
    """The factory, called once per process; in Lambda while the handler is imported, elsewhere when asked.

    Lambda starts a function with a whole core whatever its memory, and SnapStart keeps what was made then.
    """
    made = cache(factory)
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        made()
        gc.freeze()
        gc.enable()
    return made
