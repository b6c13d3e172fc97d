"""Fail in every way."""

import os
import time
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from functions.common.kind import Context, Kind, Permanent, RateLimited, Transient

Way = Literal[
    "none", "permanent", "transient", "waits", "exception", "hangs", "bad_output", "too_large", "dies"
]


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    way: Annotated[Way, Meta(title="Way", description="How to fail")] = "none"
    until_attempt: Annotated[int, Meta(ge=1, le=9, description="The first attempt that does not fail")] = 9


class Output(Struct, frozen=True):
    attempt: int
    text: str = ""


def work(input: Input, context: Context) -> Any:
    if context.attempt >= input.until_attempt:
        return Output(attempt=context.attempt)
    match input.way:
        case "permanent":
            raise Permanent("no_luck", "it cannot work")
        case "transient":
            raise Transient("unlucky", "it may work later")
        case "waits":  # once: waiting uses no attempt, so it would never end
            expires = {":expires": context.now() // 1000 + 3600}
            update, condition = "SET expires_at = :expires", "attribute_not_exists(pk)"
            if context.items.update(context.id, update, condition, expires) is not None:
                raise RateLimited(context.now() + 2000)
        case "exception":
            raise ZeroDivisionError("a secret")
        case "hangs":
            time.sleep(600)
        case "bad_output":
            return {"attempt": 1}
        case "too_large":
            return Output(attempt=context.attempt, text="x" * 40_000)
        case "dies":
            os._exit(1)
    return Output(attempt=context.attempt)


KIND = Kind(
    "flaky", "Fail", Input, Output, work, attempts=2, retry_seconds=1, timeout=3, memory=256, label="way"
)
