"""Count down. The first thing to try: it shows progress, and can be cancelled while it runs."""

from typing import Annotated

from msgspec import Meta, Struct

from functions.common.kind import Context, Kind


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    seconds: Annotated[int, Meta(ge=1, le=600, title="Seconds", description="From where to count")] = 10


class Output(Struct, frozen=True):
    seconds: Annotated[int, Meta(title="Seconds counted")]


def work(input: Input, context: Context) -> Output:
    for remaining in range(input.seconds, 0, -1):
        context.progress(1 - remaining / input.seconds, f"{remaining} s left")
        context.sleep(1)
    return Output(seconds=input.seconds)


KIND = Kind("countdown", "Count down", Input, Output, work, timeout=660, memory=256, label="seconds")
