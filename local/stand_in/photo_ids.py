"""Ids of photos: 11 URL-safe characters like Unsplash's, which say all that is needed to draw the photo.

Eight characters are the seed, one is the scene (masked by the seed, so that ids of one topic do not look
alike), and two are a checksum, so that an id nobody gave out is told from one that was.
"""

import hashlib
import random
import re
import string

_ALPHABET = string.ascii_letters + string.digits + "-_"
_FORM = re.compile(r"[A-Za-z0-9_-]{11}")

# Sizes of sensors and of usual crops, in pixels.
_SIZES = (
    (6000, 4000),
    (5472, 3648),
    (5184, 3456),
    (7952, 5304),
    (4032, 3024),
    (4000, 3000),
    (5120, 3413),
    (6016, 3384),
    (4000, 6000),
    (3456, 5184),
    (3024, 4032),
    (3000, 4000),
    (4000, 5000),
    (3648, 3648),
    (4480, 4480),
)


def new_id(scene: int, rng: random.Random) -> str:
    """A new id of a photo of the scene at place `scene` (0..63)."""
    seed = "".join(rng.choices(_ALPHABET, k=8))
    return seed + _tail(seed, scene)


def _tail(seed: str, scene: int) -> str:
    """The scene and the checksum that belong to a seed."""
    mask, *_ = hashlib.sha256(seed.encode()).digest()
    body = seed + _ALPHABET[(scene + mask) % 64]
    first, second, *_ = hashlib.sha256(body.encode()).digest()
    return body[8:] + _ALPHABET[first % 64] + _ALPHABET[second % 64]


def scene_index(photo_id: str) -> int:
    """The place of the scene that an id is of; raises `KeyError` when it is no id that `new_id` makes."""
    if not _FORM.fullmatch(photo_id):
        raise KeyError(photo_id)
    seed = photo_id[:8]
    mask, *_ = hashlib.sha256(seed.encode()).digest()
    scene = (_ALPHABET.index(photo_id[8]) - mask) % 64
    if _tail(seed, scene) != photo_id[8:]:
        raise KeyError(photo_id)
    return scene


def size_of(photo_id: str) -> tuple[int, int]:
    """Width and height in pixels of the original."""
    return random.Random(f"{photo_id}/size").choice(_SIZES)
