"""Photo ids: 11 URL-safe characters, as at Unsplash, that encode the picture.

Eight characters are a random seed, one is the picture (masked by the seed, so that ids of one topic differ),
and two are a checksum, which distinguishes issued ids from others.
"""

import hashlib
import random
import re
import string

_ALPHABET = string.ascii_letters + string.digits + "-_"
_FORM = re.compile(r"[A-Za-z0-9_-]{11}")


def new_id(index: int, rng: random.Random) -> str:
    """Return a new id of a photo with the picture at this index (0..63)."""
    seed = "".join(rng.choices(_ALPHABET, k=8))
    return seed + _tail(seed, index)


def _tail(seed: str, index: int) -> str:
    """Return the last three characters for a seed."""
    mask, *_ = hashlib.sha256(seed.encode()).digest()
    body = seed + _ALPHABET[(index + mask) % 64]
    first, second, *_ = hashlib.sha256(body.encode()).digest()
    return body[8:] + _ALPHABET[first % 64] + _ALPHABET[second % 64]


def index_of(photo_id: str) -> int:
    """Return the picture's index. Raises KeyError for an id that `new_id` cannot have returned."""
    if not _FORM.fullmatch(photo_id):
        raise KeyError(photo_id)
    seed = photo_id[:8]
    mask, *_ = hashlib.sha256(seed.encode()).digest()
    index = (_ALPHABET.index(photo_id[8]) - mask) % 64
    if _tail(seed, index) != photo_id[8:]:
        raise KeyError(photo_id)
    return index
