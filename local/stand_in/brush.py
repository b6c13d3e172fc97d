"""What every scene paints with: gradients, noise, glows, masks.

Places are fractions of the frame (0..1, y grows downwards), so that one photo has one
composition at every size. Detail, not composition, depends on the pixels.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageOps

from .color import Color, mix

Point = tuple[float, float]
Stops = Sequence[tuple[float, Color]]

BICUBIC = Image.Resampling.BICUBIC
BILINEAR = Image.Resampling.BILINEAR


@dataclass(frozen=True)
class Frame:
    """One photo to draw: its seed and its size in pixels."""

    seed: str
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height

    @property
    def side(self) -> int:
        """The shorter side in pixels, the measure for round things."""
        return min(self.width, self.height)

    @property
    def tiny(self) -> bool:
        """True when fine detail would be smaller than a pixel, and only cost time."""
        return self.width <= 64

    def rng(self, part: str) -> random.Random:
        """A generator of its own for each part, so that leaving out detail moves nothing else."""
        return random.Random(f"{self.seed}/{part}")

    def some(self, count: int) -> int:
        """How many of `count` small things to draw: half stand for all in a tiny frame."""
        return (count + 1) // 2 if self.tiny else count


def vertical(size: tuple[int, int], stops: Stops) -> Image.Image:
    """A gradient from top to bottom through `stops` of (place 0..1, colour), in order."""
    return strip(size[1], stops).resize(size, Image.Resampling.NEAREST)


def flat(color: Color) -> Stops:
    """One colour where a gradient is asked for."""
    return (0, color), (1, color)


def strip(height: int, stops: Stops) -> Image.Image:
    """The same one pixel wide; to widen it is then a plain copy, the quickest way."""
    samples = min(96, 2 * height)  # grain hides what is between them
    data = bytearray()
    index = 0
    for i in range(samples):
        at = i / (samples - 1)
        while index < len(stops) - 2 and at > stops[index + 1][0]:
            index += 1
        (p, a), (q, b) = stops[index], stops[min(index + 1, len(stops) - 1)]
        data += bytes(mix(a, b, (at - p) / (q - p or 1)))
    return Image.frombytes("RGB", (1, samples), bytes(data)).resize((1, height), BILINEAR)


def slanted(size: tuple[int, int], angle: float, first: int, last: int) -> Image.Image:
    """A mask that goes from `first` to `last` along `angle` (degrees; 45 begins at the upper left)."""
    values = [round(first + (last - first) * v / 255) for v in range(256)]
    return _slope(angle).point(values).resize(size, BILINEAR)


@cache
def _slope(angle: float) -> Image.Image:
    """Black to white along `angle`."""
    return ImageOps.autocontrast(Image.linear_gradient("L").rotate(angle, BICUBIC).crop((38, 38, 218, 218)))


def noise(
    rng: random.Random, size: tuple[int, int], grid: tuple[int, int], octaves: int = 4, rough: float = 0.5
) -> Image.Image:
    """Soft fractal noise over the full range 0..255, whose coarsest lumps lie on `grid`.

    Each octave weighs `rough` (below 1) times the one before it.
    """
    across, down = grid
    field = Image.frombytes("L", grid, rng.randbytes(across * down))
    for octave in range(1, octaves):
        across, down = across * 2, down * 2
        finer = Image.frombytes("L", (across, down), rng.randbytes(across * down))
        weight = rough**octave * (1 - rough) / (1 - rough ** (octave + 1))
        field = Image.blend(field.resize((across, down), BICUBIC), finer, weight)
    return ImageOps.autocontrast(field, cutoff=1).resize(size, BICUBIC)


def levels(mask: Image.Image, low: float, high: float) -> Image.Image:
    """`mask` stretched so that `low` becomes 0 and `high` becomes 255."""
    return mask.point(_stretch(low, high))


@lru_cache(maxsize=256)
def _stretch(low: float, high: float) -> list[int]:
    """Every value of a mask stretched so."""
    return [round(min(1.0, max(0.0, (v - low) / (high - low))) * 255) for v in range(256)]


def faded(mask: Image.Image, opacity: float) -> Image.Image:
    """`mask` times `opacity` (0..1)."""
    return mask.point(_share(round(opacity, 2)))


@cache
def _share(opacity: float) -> list[int]:
    """Every value of a mask times `opacity`."""
    return [round(v * opacity) for v in range(256)]


def ramp(size: tuple[int, int], places: Sequence[tuple[float, int]]) -> Image.Image:
    """A mask from top to bottom through (place 0..1, value 0..255)."""
    return vertical(size, [(at, (v, v, v)) for at, v in places]).getchannel(0)


@cache
def _ball(power: float) -> Image.Image:
    """A mask that is full in the middle and falls to nothing at the rim of its inscribed circle."""
    rim = 180  # Pillow's radial gradient measures 255 at the corners
    falloff = [round(255 * (max(0, rim - v) / rim) ** power) for v in range(256)]
    return Image.radial_gradient("L").point(falloff)


def glow(
    picture: Image.Image, at: Point, radius: float, color: Color, strength: float, power: float = 2
) -> None:
    """Lights `picture` around the pixel `at`; `radius` in pixels, `strength` 0..1."""
    begin_x, begin_y = at[0] - radius, at[1] - radius
    left, top = max(0, math.floor(begin_x)), max(0, math.floor(begin_y))
    right = min(picture.width, math.ceil(at[0] + radius))
    bottom = min(picture.height, math.ceil(at[1] + radius))
    if radius <= 0 or left >= right or top >= bottom:
        return
    scale = 128 / radius  # only what is seen is computed: a glow may be far wider than the frame
    xs = [min(256.0, max(0.0, (x - begin_x) * scale)) for x in (left, right)]
    ys = [min(256.0, max(0.0, (y - begin_y) * scale)) for y in (top, bottom)]
    seen = _ball(power).resize((right - left, bottom - top), BILINEAR, box=(xs[0], ys[0], xs[1], ys[1]))
    picture.paste(color, (left, top), faded(seen, strength))


def shape(size: tuple[int, int], draw: Callable[[ImageDraw.ImageDraw, float], object]) -> Image.Image:
    """A smooth-edged mask: `draw(pen, scale)` paints it with fill 255 at `scale` times the size."""
    large = Image.new("L", (size[0] * 2, size[1] * 2))
    draw(ImageDraw.Draw(large), 2.0)
    return large.reduce(2)


def outlined(outlines: Sequence[Sequence[Point]], size: tuple[int, int], top: int = 0) -> Image.Image:
    """A smooth-edged mask of polygons in pixels; it begins `top` pixels down and is `size` large."""

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        for outline in outlines:
            pen.polygon([(x * scale, (y - top) * scale) for x, y in outline], fill=255)

    return shape(size, draw)


def overlay(picture: Image.Image, texture: Image.Image, strength: float) -> Image.Image:
    """`picture` with the light and dark of `texture` (128 is neutral) at `strength` 0..1."""
    pale = texture.point([round(128 + (v - 128) * strength) for v in range(256)])
    return ImageChops.overlay(picture, Image.merge("RGB", (pale, pale, pale)))


def fitted(field: Image.Image, across: int) -> Image.Image:
    """`field` made no larger than the square of `across` pixels that it will fill."""
    return field.resize((across, across), BILINEAR) if field.width > across else field


def tinted(
    lumps: Image.Image, across: int, dark: Color, light: Color, middle: Color | None = None
) -> Image.Image:
    """A square `across` pixels wide coloured from `dark` to `light` after the field `lumps`."""
    scale = _scale(dark, middle or mix(dark, light, 0.5), light)
    return fitted(lumps, across).convert("RGB").point(scale).resize((across, across), BICUBIC)


@lru_cache(maxsize=256)
def _scale(dark: Color, middle: Color, light: Color) -> list[int]:
    """The colours from `dark` to `light` through `middle`, as 256 values of red, of green, of blue."""
    steps = [mix(dark, middle, v / 127) for v in range(127)]
    steps += [mix(middle, light, v / 128) for v in range(129)]
    return [color[channel] for channel in range(3) for color in steps]


def around(at: Point, far: float, turn: float) -> Point:
    """The pixel `far` from `at` in the direction `turn` (radians, clockwise from the right)."""
    return at[0] + far * math.cos(turn), at[1] + far * math.sin(turn)
