"""The stand-in's pictures: two dozen, each in two sizes, and what is known about them."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("pictures")
SMALL_WIDTH = 400
"""Pixels; the regular size is 1,080 wide."""
_NOTHING = {"nothing", "void", "xyzzy"}


@dataclass(frozen=True)
class Picture:
    """Width and height in pixels are those of the original that a photo claims to have."""

    name: str
    width: int
    height: int
    color: str
    blur_hash: str
    topics: frozenset[str]
    alts: tuple[str, ...]

    def read(self, width: int) -> bytes:
        """Return the WebP file of the size that suits a page that asks for so many pixels."""
        return _file(self.name, "small" if width <= SMALL_WIDTH else "regular")


@cache
def catalogue() -> dict[str, Any]:
    """Return what is known about the pictures, and invented photographers and descriptions."""
    known: dict[str, Any] = json.loads((FOLDER / "pictures.json").read_text())
    return known


@cache
def pictures() -> tuple[Picture, ...]:
    """Return all of them. A picture's place is part of its photos' ids: add at the end, never reorder."""
    return tuple(
        Picture(**{**entry, "topics": frozenset(entry["topics"].split()), "alts": tuple(entry["alts"])})
        for entry in catalogue()["pictures"]
    )


def places_for(topic: str | None) -> tuple[int, ...]:
    """Return the places of the pictures that suit a topic: all without one, food for an unknown one.

    Empty for a topic with the word "nothing", "void" or "xyzzy": it has no photos.
    """
    words = set(re.findall(r"\w+", (topic or "").lower()))
    if words & _NOTHING:
        return ()
    if not words:
        return tuple(range(len(pictures())))
    words |= {word.removesuffix("s") for word in words} | {word.removesuffix("es") for word in words}
    return _showing(words) or _showing({"food"})


def _showing(words: set[str]) -> tuple[int, ...]:
    return tuple(place for place, picture in enumerate(pictures()) if words & picture.topics)


@cache
def _file(name: str, size: str) -> bytes:
    return (FOLDER / f"{name}-{size}.webp").read_bytes()
