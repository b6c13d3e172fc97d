"""Draws a photo, given its id: the same id is the same photo at every size, today and after a restart."""

import io
import random
from functools import cache
from statistics import NormalDist

from PIL import Image, ImageChops

from .brush import BICUBIC, Frame
from .photo_ids import new_id, scene_index, size_of
from .scenes import SCENES, Scene

TINY = 32  # pixels across a picture that is only measured
_GRAIN_TILE = 512


def draw(photo_id: str, width: int) -> Image.Image:
    """The photo `width` pixels wide, its height in the ratio that its listing promises.

    Raises `KeyError` when `photo_id` is no id of a photo.
    """
    scene = scene_of(photo_id)
    full_width, full_height = size_of(photo_id)
    frame = Frame(photo_id, width, max(1, round(width * full_height / full_width)))
    picture = scene.draw(frame)
    return picture if frame.tiny else finished(picture)


def scene_of(photo_id: str) -> Scene:
    """What a photo shows; raises `KeyError` when `photo_id` is no id of a photo."""
    index = scene_index(photo_id)
    if index >= len(SCENES):
        raise KeyError(photo_id)
    return SCENES[index]


def finished(picture: Image.Image) -> Image.Image:
    """What a lens and a sensor add: corners a little darker, and fine grain, which also hides banding."""
    picture.paste((8, 6, 12), (0, 0), _vignette().resize(picture.size, BICUBIC))
    tile = _grain()
    grain = Image.new("RGB", picture.size)
    for x in range(0, picture.width, _GRAIN_TILE):
        for y in range(0, picture.height, _GRAIN_TILE):
            grain.paste(tile, (x, y))
    return ImageChops.add(picture, grain, offset=-128)


def jpeg(photo_id: str, width: int) -> bytes:
    """The photo as a JPEG file; raises `KeyError` as `draw` does."""
    file = io.BytesIO()
    draw(photo_id, width).save(file, "JPEG", quality=86)
    return file.getvalue()


def warm_up() -> None:
    """Draws some tiny photos of every scene, so that what they share is made before the first request."""
    rng = random.Random("warm")
    for scene in range(len(SCENES)):
        for _ in range(3):
            draw(new_id(scene, rng), TINY)


@cache
def _vignette() -> Image.Image:
    """A small mask that darkens towards the corners."""
    return (
        Image.radial_gradient("L").resize((64, 64)).point([round(36 * (v / 255) ** 2.6) for v in range(256)])
    )


@cache
def _grain() -> Image.Image:
    """A square of normal noise around 128, the same in every process."""
    bell = NormalDist(128, 2.3)
    curve = [round(bell.inv_cdf((v + 0.5) / 256)) for v in range(256)]
    raw = random.Random("grain").randbytes(_GRAIN_TILE * _GRAIN_TILE)
    grey = Image.frombytes("L", (_GRAIN_TILE, _GRAIN_TILE), raw).point(curve)
    return Image.merge("RGB", (grey, grey, grey))
