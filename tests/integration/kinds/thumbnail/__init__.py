"""Make a small picture smaller, with a native package."""

from typing import Annotated

from msgspec import Meta, Struct

from functions.common.kind import Context, Kind


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    picture: Annotated[str, Meta(description="A picture in Base64", max_length=20_000)]
    size: Annotated[int, Meta(ge=1, le=64)] = 16


class Output(Struct, frozen=True):
    url: str
    width: int
    height: int


def work(input: Input, context: Context) -> Output:
    from kinds.thumbnail.make import make_thumbnail

    thumbnail: Output = make_thumbnail(input, context)
    return thumbnail


KIND = Kind("thumbnail", "Make a thumbnail", Input, Output, work, stores_files=True)
