"""The JSON of a photo, as far as the real service's answers are used."""

import random
from typing import Any

from PIL import Image

from . import blurhash
from .drawing import TINY, draw, scene_of
from .photo_ids import new_id, size_of
from .scenes import scenes_for

_PEOPLE = (
    "Mira Castellane",
    "Jonas Weidtmann",
    "Aiko Tanemura",
    "Tomasz Brzoza",
    "Leonie Farquar",
    "Oluwaseun Adeyi",
    "Paulo Serrantes",
    "Ingrid Havnes",
    "Noor el-Amrani",
    "Clément Vauquelin",
)
_DESCRIPTIONS = (
    "Shot on a quiet morning",
    "Nothing planned, just good light",
    "From a series that I keep coming back to",
    "One of those days",
    "Before everyone else was up",
    "First roll with a new lens",
)


def new_ids(topic: str | None, count: int, rng: random.Random) -> list[str]:
    """`count` ids of photos of a topic, no two alike; none for a topic of which there are no photos."""
    scenes = scenes_for(topic)
    ids: dict[str, None] = {}
    while scenes and len(ids) < count:
        ids[new_id(rng.choice(scenes), rng)] = None
    return list(ids)


def photo(photo_id: str, public_url: str) -> dict[str, Any]:
    """The photo of an id, which says everything about it; image URLs begin with `public_url`."""
    rng = random.Random(f"{photo_id}/facts")
    width, height = size_of(photo_id)
    small = draw(photo_id, TINY)
    average = small.resize((1, 1), Image.Resampling.BOX).tobytes()
    facts = {
        "id": photo_id,
        "width": width,
        "height": height,
        "color": f"#{average.hex()}",
        "blur_hash": blurhash.encode(small),
        "description": rng.choice(_DESCRIPTIONS) if rng.random() < 0.5 else None,
        "alt_description": rng.choice(scene_of(photo_id).alts),
        "urls": urls(photo_id, public_url),
        "links": links(photo_id, public_url),
        "user": person(rng.choice(_PEOPLE)),
    }
    if rng.random() < 0.12:
        del facts["alt_description"]  # the real service leaves it out now and then
    return facts


def links(photo_id: str, public_url: str) -> dict[str, str]:
    """The photo's pages and API addresses; the stand-in itself serves none of them."""
    page = f"https://unsplash.com/photos/{photo_id}"
    return {
        "self": f"{public_url}/photos/{photo_id}",
        "html": page,
        "download": f"{page}/download",
        "download_location": f"{public_url}/photos/{photo_id}/download",
    }


def urls(photo_id: str, public_url: str) -> dict[str, str]:
    """The image in the sizes that the real service lists; callers add `&w=` to `raw`."""
    image = f"{public_url}/images/{photo_id}.jpg"
    return {
        "raw": f"{image}?fm=jpg",
        "full": f"{image}?w=1600",
        "regular": f"{image}?w=1080",
        "small": f"{image}?w=400",
        "thumb": f"{image}?w=200",
    }


def person(name: str) -> dict[str, Any]:
    """An invented photographer."""
    username = "".join(c for c in name.lower() if c.isascii() and c.isalpha())
    return {
        "id": f"{random.Random(name).getrandbits(64):016x}"[:11],
        "username": username,
        "name": name,
        "links": {"html": f"https://unsplash.com/@{username}"},
    }
