"""Find a photo on Unsplash."""

import unicodedata
from collections.abc import Iterator
from typing import Annotated, Any

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from functions.common.kind import BatchJob, Budget, Context, Kind

MAX_QUERY = 80
BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Characters that Unicode classifies as letters or symbols although they are blank."""
UNSPLASH = Budget("unsplash", limit=50, seconds=3600)
ACCESS_KEY = "unsplash_access_key"

Query = Annotated[
    str,
    Meta(
        title="Topic",
        description="What the photo shows",
        examples=["pasta"],
        # the length without leading and trailing spaces, see __post_init__
        extra_json_schema={"minLength": 1, "maxLength": MAX_QUERY},
    ),
]


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    query: Query = "food"

    def __post_init__(self) -> None:
        """Remove leading and trailing spaces. Raises ValueError if no visible text remains."""
        query = self.query.strip()
        if not 1 <= len(query) <= MAX_QUERY:
            message = f"must be 1 to {MAX_QUERY} characters long, without leading and trailing spaces"
            raise ValueError(f"query {message}")
        # Cc: control characters; Cs: unpaired surrogates, which UTF-8 cannot encode
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in query):
            raise ValueError("query must not contain control characters")
        if not any(_is_visible(character) for character in query):
            raise ValueError("query must contain a visible character")
        force_setattr(self, "query", query)


class Photographer(Struct, frozen=True):
    """Who took a photo. `url` is their profile on Unsplash."""

    name: str
    url: str


class Photo(Struct, frozen=True):
    """A photo in the form of the API's contract. `small` and `regular` are URLs of images."""

    id: str
    width: int
    height: int
    color: str | None
    blur_hash: str | None
    alt: str | None
    small: str
    regular: str
    photographer: Photographer
    page: str


def work(jobs: list[BatchJob[Input]], context: Context) -> Iterator[tuple[BatchJob[Input], Any]]:
    from kinds.photo.find_photos import find_photos  # it needs more than this module may import

    return find_photos(jobs, context)


def _is_visible(character: str) -> bool:
    """Return whether it is a letter, number, punctuation or symbol that is not blank."""
    return unicodedata.category(character)[0] in "LNPS" and character not in BLANK_LETTERS


KIND = Kind(
    "photo",
    "Find a photo",
    Input,
    Photo,
    work,
    batch=10,
    budgets=(UNSPLASH,),
    secrets=(ACCESS_KEY,),
    stores_files=True,
    label="query",
)
