"""The stand-in's pictures: two dozen in two sizes, with their metadata."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("pictures")
SMALL_WIDTH = 400
"""Pixels; the regular size is 1,080 wide."""
_NOTHING = {"nothing", "void", "xyzzy"}  # topics with one of these words have no photos


@dataclass(frozen=True)
class Picture:
    """A picture. Width and height, in pixels, are those of the original that its photos claim to have."""

    name: str
    width: int
    height: int
    color: str
    blur_hash: str
    topics: frozenset[str]
    alts: tuple[str, ...]

    def read(self, width: int) -> bytes:
        """Return the WebP file in the size for a requested width in pixels."""
        return _file(self.name, "small" if width <= SMALL_WIDTH else "regular")


@cache
def catalogue() -> dict[str, Any]:
    """Return the pictures' metadata, and invented photographers and descriptions."""
    content: dict[str, Any] = json.loads((FOLDER / "pictures.json").read_text())
    return content


@cache
def pictures() -> tuple[Picture, ...]:
    """Return all pictures. Their index is part of photo ids, so append new ones and never reorder."""
    return tuple(
        Picture(**{**entry, "topics": frozenset(entry["topics"].split()), "alts": tuple(entry["alts"])})
        for entry in catalogue()["pictures"]
    )


def indexes_for(topic: str | None) -> tuple[int, ...]:
    """Return the indexes of a topic's pictures: food for an unknown topic, all for None, none for "void"."""
    words = set(re.findall(r"\w+", (topic or "").lower()))
    if words & _NOTHING:
        return ()
    if not words:
        return tuple(range(len(pictures())))
    words |= {word.removesuffix("s") for word in words} | {word.removesuffix("es") for word in words}
    return _with_topics(words) or _with_topics({"food"})


def _with_topics(words: set[str]) -> tuple[int, ...]:
    return tuple(index for index, picture in enumerate(pictures()) if words & picture.topics)


@cache
def _file(name: str, size: str) -> bytes:
    return (FOLDER / f"{name}-{size}.webp").read_bytes()
