"""The JSON of a photo, with the fields that clients use."""

import random
from typing import Any

from .photo_ids import index_of, new_id
from .pictures import Picture, catalogue, indexes_for, pictures


def new_ids(topic: str | None, count: int, rng: random.Random) -> list[str]:
    """Return `count` different ids of photos of a topic, or none if it has no photos."""
    indexes = indexes_for(topic)
    ids: dict[str, None] = {}
    while indexes and len(ids) < count:
        ids[new_id(rng.choice(indexes), rng)] = None
    return list(ids)


def picture_of(photo_id: str) -> Picture:
    """Return a photo's picture. Raises KeyError for an unknown id."""
    index = index_of(photo_id)
    if index >= len(pictures()):
        raise KeyError(photo_id)
    return pictures()[index]


def photo(photo_id: str, public_url: str) -> dict[str, Any]:
    """Return the photo, which its id determines completely. `public_url` is the base of its image URLs."""
    rng = random.Random(f"{photo_id}/facts")
    picture = picture_of(photo_id)
    page = f"https://unsplash.com/photos/{photo_id}"
    facts = {
        "id": photo_id,
        "width": picture.width,
        "height": picture.height,
        "color": picture.color,
        "blur_hash": picture.blur_hash,
        "description": rng.choice(catalogue()["descriptions"]) if rng.random() < 0.5 else None,
        "alt_description": rng.choice(picture.alts),
        "urls": urls(photo_id, public_url),
        "links": {  # the stand-in does not serve these
            "self": f"{public_url}/photos/{photo_id}",
            "html": page,
            "download": f"{page}/download",
            "download_location": f"{public_url}/photos/{photo_id}/download",
        },
        "user": rng.choice(catalogue()["people"]),
    }
    if rng.random() < 0.12:
        del facts["alt_description"]  # the real service sometimes omits it
    return facts


def urls(photo_id: str, public_url: str) -> dict[str, str]:
    """Return the image's URLs by size, as the real service does. Clients add `&w=` to `raw`."""
    image = f"{public_url}/images/{photo_id}.webp"
    return {
        "raw": f"{image}?fm=webp",
        "full": f"{image}?w=1600",
        "regular": f"{image}?w=1080",
        "small": f"{image}?w=400",
        "thumb": f"{image}?w=200",
    }
