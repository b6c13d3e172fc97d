"""Declarations of kinds for tests."""

TEMPLATE = '''"""A kind of a test."""

from msgspec import Struct

from functions.common.kind import Budget, Kind


class Input(Struct):
    text: str = ""


class Output(Struct):
    words: int


def work(input, context):
    return Output(1)


KIND = Kind({name!r}, "A test", Input, Output, work, {options})
'''


def declare(name: str = "count", options: str = "") -> str:
    """Return the source of a file that declares a kind with these keyword arguments."""
    return TEMPLATE.format(name=name, options=options)
