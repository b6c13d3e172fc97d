"""What landscapes are made of: lines of hills, and level ground or water seen from the shore."""

import math
import random
from collections.abc import Sequence
from itertools import pairwise

from PIL import Image

from .brush import BICUBIC, BILINEAR, Frame, Stops, outlined, overlay, ramp, strip


def ridge(rng: random.Random, octaves: int, height: float, rough: float = 0.5) -> list[float]:
    """Heights (about ±`height`) of a mountain line at 2**octaves + 1 even steps, by midpoint displacement.

    More octaves add detail to the same line.
    """
    line = [rng.uniform(-height, height) / 2, rng.uniform(-height, height) / 2]
    for _ in range(octaves):
        middles = [(p + q) / 2 + rng.uniform(-height, height) for p, q in pairwise(line)]
        line = [v for pair in zip(line, middles, strict=False) for v in pair] + line[-1:]
        height *= rough
    return line


def octaves_for(frame: Frame) -> int:
    """As many octaves as give a ridge a point every other pixel or so."""
    return max(4, min(9, round(math.log2(frame.width)) - 1))


def fill_below(picture: Image.Image, line: Sequence[float], stops: Stops) -> None:
    """Lays a gradient of the whole frame on what is below `line` (places of y at even steps of x)."""
    width, height = picture.size
    top, bottom = max(0, math.floor(min(line) * height)), min(height, math.ceil(max(line) * height) + 1)
    paint = strip(height, stops)
    if bottom < height:
        picture.paste(paint.crop((0, bottom, 1, height)).resize((width, height - bottom)), (0, bottom))
    if bottom - top < 1:
        return
    steps = len(line) - 1
    outline = [(i / steps * width, y * height) for i, y in enumerate(line)]
    edge = paint.crop((0, top, 1, bottom)).resize((width, bottom - top))
    mask = outlined([[*outline, (width, height), (0, height)]], edge.size, top)
    picture.paste(edge, (0, top), mask)


def plane(texture: Image.Image, size: tuple[int, int], flat: float = 0.07) -> Image.Image:
    """`texture` laid on level ground that goes from the horizon (top edge) to the viewer."""
    width, height = size
    near, scale, middle = height * flat, texture.width / width, texture.width / 2
    lens = (scale, middle / near, middle - width / 2 * scale, 0, 0, texture.height - 1.0, 0, 1 / near)
    return texture.transform(size, Image.Transform.PERSPECTIVE, lens, BILINEAR)


def grained(picture: Image.Image, texture: Image.Image, top: float, strength: tuple[float, float]) -> None:
    """Lays `texture` on the ground below `top` (place of y), `strength` growing towards the viewer."""
    width, height = picture.size
    line = round(top * height)
    ground = picture.crop((0, line, width, height))
    rough = overlay(ground, texture.resize(ground.size, BICUBIC), 1)
    far, near = (round(255 * share) for share in strength)
    picture.paste(rough, (0, line), ramp(ground.size, ((0, 0), (0.05, far), (1, near))))
