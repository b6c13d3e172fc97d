"""BlurHash: a picture as a short string that a page can show, blurred, while the picture loads.

After the description of the algorithm at https://github.com/woltapp/blurhash/blob/master/Algorithm.md
"""

import math
from functools import cache
from operator import mul

from PIL import Image

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
Factor = tuple[float, float, float]


def encode(picture: Image.Image, across: int = 4, down: int = 3) -> str:
    """The hash of an RGB picture with `across` times `down` components (1..9 each).

    Its time grows with the pixels, and nothing is gained by many: give it a picture of about 32.
    """
    first, *others = _factors(picture, across, down)
    size = (across - 1) + (down - 1) * 9
    head = _base83(size, 1)
    largest = max((abs(v) for factor in others for v in factor), default=0.0)
    step = max(0, min(82, math.floor(largest * 166 - 0.5)))
    scale = (step + 1) / 166 if others else 1.0
    tail = "".join(_base83(_detail(factor, scale), 2) for factor in others)
    return head + _base83(step if others else 0, 1) + _base83(_average(first), 4) + tail


def _factors(picture: Image.Image, across: int, down: int) -> list[Factor]:
    """How strongly each cosine wave is in the picture, in linear light; the first is the average."""
    width, height = picture.size
    waves_x = _waves(across, width)
    waves_y = _waves(down, height)
    channels = []
    for channel in picture.split():
        light = [_linear()[v] for v in channel.tobytes()]
        rows = [light[y * width : (y + 1) * width] for y in range(height)]
        # Rows first, then columns: the waves are products, so this gives the same sums in less time.
        by_row = [[sum(map(mul, row, wave)) for row in rows] for wave in waves_x]
        channels.append([sum(map(mul, sums, wave)) for wave in waves_y for sums in by_row])
    weights = [(1 if i == 0 else 2) / (width * height) for i in range(across * down)]
    red, green, blue = channels
    return [(r * w, g * w, b * w) for r, g, b, w in zip(red, green, blue, weights, strict=True)]


@cache
def _waves(count: int, length: int) -> list[list[float]]:
    """The first `count` cosine waves over `length` pixels."""
    return [[math.cos(math.pi * i * x / length) for x in range(length)] for i in range(count)]


@cache
def _linear() -> list[float]:
    """Linear light (0..1) of each sRGB value."""
    shares = [v / 255 for v in range(256)]
    return [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]


def _srgb(light: float) -> int:
    """The sRGB value (0..255) of linear light."""
    v = min(1.0, max(0.0, light))
    return round(255 * (v * 12.92 if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055))


def _average(factor: Factor) -> int:
    """The average colour as 24 bits."""
    red, green, blue = (_srgb(v) for v in factor)
    return red << 16 | green << 8 | blue


def _detail(factor: Factor, scale: float) -> int:
    """A wave in 19 steps a channel, finer near nought."""
    red, green, blue = (
        max(0, min(18, math.floor(math.copysign(math.sqrt(abs(v / scale)), v) * 9 + 9.5))) for v in factor
    )
    return (red * 19 + green) * 19 + blue


def _base83(value: int, length: int) -> str:
    """`value` in `length` digits of base 83."""
    return "".join(_DIGITS[value // 83**place % 83] for place in reversed(range(length)))
