"""Ids of photos: 11 URL-safe characters like Unsplash's, which say which picture the photo shows.

Eight characters are the seed, one is the picture (masked by the seed, so that ids of one topic do not look
alike), and two are a checksum, which distinguishes ids that were given out from others.
"""

import hashlib
import random
import re
import string

_ALPHABET = string.ascii_letters + string.digits + "-_"
_FORM = re.compile(r"[A-Za-z0-9_-]{11}")


def new_id(place: int, rng: random.Random) -> str:
    """Return a new id of a photo that shows the picture at this place (0..63)."""
    seed = "".join(rng.choices(_ALPHABET, k=8))
    return seed + _tail(seed, place)


def _tail(seed: str, place: int) -> str:
    """The picture and the checksum that belong to a seed."""
    mask, *_ = hashlib.sha256(seed.encode()).digest()
    body = seed + _ALPHABET[(place + mask) % 64]
    first, second, *_ = hashlib.sha256(body.encode()).digest()
    return body[8:] + _ALPHABET[first % 64] + _ALPHABET[second % 64]


def place_of(photo_id: str) -> int:
    """Return the place of the picture. Raises KeyError if `new_id` does not make such an id."""
    if not _FORM.fullmatch(photo_id):
        raise KeyError(photo_id)
    seed = photo_id[:8]
    mask, *_ = hashlib.sha256(seed.encode()).digest()
    place = (_ALPHABET.index(photo_id[8]) - mask) % 64
    if _tail(seed, place) != photo_id[8:]:
        raise KeyError(photo_id)
    return place
