"""Count the words of a text."""

from typing import Annotated

from msgspec import Meta, Struct

from functions.common.kind import Context, Kind


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    text: Annotated[str, Meta(min_length=1, max_length=10_000)]


class Output(Struct, frozen=True):
    words: int


def work(input: Input, context: Context) -> Output:
    return Output(words=len(input.text.split()))


KIND = Kind(name="wordcount", title="Count words", input=Input, output=Output, work=work, timeout=30)
