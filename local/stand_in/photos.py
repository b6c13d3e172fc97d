"""The JSON of a photo, as far as the real service's answers are used."""

import random
from typing import Any

from .photo_ids import new_id, place_of
from .pictures import Picture, catalogue, pictures, places_for


def new_ids(topic: str | None, count: int, rng: random.Random) -> list[str]:
    """Return `count` different ids of photos of a topic; none for a topic that has no photos."""
    places = places_for(topic)
    ids: dict[str, None] = {}
    while places and len(ids) < count:
        ids[new_id(rng.choice(places), rng)] = None
    return list(ids)


def picture_of(photo_id: str) -> Picture:
    """Return what a photo shows. Raises KeyError if there is no such photo."""
    place = place_of(photo_id)
    if place >= len(pictures()):
        raise KeyError(photo_id)
    return pictures()[place]


def photo(photo_id: str, public_url: str) -> dict[str, Any]:
    """Return the photo of an id, which determines everything; image URLs begin with `public_url`."""
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
        "links": {  # the stand-in itself serves none of them
            "self": f"{public_url}/photos/{photo_id}",
            "html": page,
            "download": f"{page}/download",
            "download_location": f"{public_url}/photos/{photo_id}/download",
        },
        "user": rng.choice(catalogue()["people"]),
    }
    if rng.random() < 0.12:
        del facts["alt_description"]  # the real service leaves it out now and then
    return facts


def urls(photo_id: str, public_url: str) -> dict[str, str]:
    """The image in the sizes that the real service lists; callers add `&w=` to `raw`."""
    image = f"{public_url}/images/{photo_id}.webp"
    return {
        "raw": f"{image}?fm=webp",
        "full": f"{image}?w=1600",
        "regular": f"{image}?w=1080",
        "small": f"{image}?w=400",
        "thumb": f"{image}?w=200",
    }
