"""End the worker's process at every start of the work."""

import os

from msgspec import Struct

from functions.common.kind import Context, Kind


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Output(Struct, frozen=True):
    pass


def work(_: Input, __: Context) -> Output:
    os._exit(1)


KIND = Kind("crashing", "Crash", Input, Output, work, timeout=5, memory=256)
