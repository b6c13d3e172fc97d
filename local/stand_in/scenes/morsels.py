"""Small things to eat, each drawn once on a square of its own and then laid in many places."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from ..brush import BICUBIC, BILINEAR, Point, around, faded, glow, levels, noise, shape
from ..color import Color, color_of, mix, shade

EDGE = 144  # pixels across the square of a morsel
_FULL = (EDGE, EDGE)
_LARGE = (EDGE * 2, EDGE * 2)
WHITE: Color = (255, 255, 255)


@dataclass(frozen=True)
class Morsel:
    """A picture with its outline (premultiplied RGBa: one image to turn, not two), and its small shadow."""

    picture: Image.Image
    shadow: Image.Image

    def lay(self, canvas: Image.Image, at: Point, size: float, angle: float = 0) -> None:
        """Puts it on `canvas` around the pixel `at`, `size` pixels wide, turned by `angle` degrees."""
        across = max(2, round(size))
        x, y = round(at[0] - across / 2), round(at[1] - across / 2)
        drop = max(1, round(size * 0.07))
        canvas.paste((24, 12, 8), (x + drop, y + drop), _fitted(self.shadow, across, angle))
        whole = _fitted(self.picture, across, angle)
        canvas.paste(whole, (x, y), whole)


def _fitted(part: Image.Image, across: int, angle: float) -> Image.Image:
    """`part` turned and resized, in the order that turns fewer pixels."""
    if across < part.width:
        return part.resize((across, across), BICUBIC, reducing_gap=2.0).rotate(angle, BILINEAR)
    return part.rotate(angle, BILINEAR).resize((across, across), BILINEAR)


def morsel(paint: Image.Image, outline: Image.Image) -> Morsel:
    """What `paint` shows within the mask `outline`, with the shadow of that."""
    whole = paint.copy()
    whole.putalpha(outline)
    return Morsel(whole.convert("RGBa"), faded(outline.reduce(3).filter(ImageFilter.GaussianBlur(1.7)), 0.5))


def oval(wide: float = 0.86, tall: float = 0.86) -> Image.Image:
    """The outline of round morsels; the rest of the square is room for the shadow."""
    box = EDGE * (1 - wide), EDGE * (1 - tall), EDGE * (1 + wide), EDGE * (1 + tall)
    return shape(_FULL, lambda pen, _: pen.ellipse(box, fill=255))


@cache
def ball(color: str, shine: float = 0.7) -> Morsel:
    """A blueberry, an olive, a grape: a ball lit from the upper left."""
    return morsel(_ball_paint(color_of(color), shine), oval())


def _ball_paint(tone: Color, shine: float) -> Image.Image:
    """Light and dark of a ball, its highlight as strong as `shine` (0..1)."""
    light = ImageOps.invert(Image.radial_gradient("L")).crop((46, 52, 220, 226)).resize(_FULL, BICUBIC)
    light = ImageOps.autocontrast(light)
    paint = ImageOps.colorize(light, shade(tone, 0.28), mix(tone, WHITE, 0.4), mid=tone, midpoint=120)
    glow(paint, (EDGE * 0.36, EDGE * 0.32), EDGE * 0.13, WHITE, shine, 1.2)
    return paint


@cache
def berry(color: str) -> Morsel:
    """A raspberry, a blackberry: many small balls."""
    rng = random.Random(color)
    picture, mask = Image.new("RGB", _FULL, shade(color_of(color), 0.4)), Image.new("L", _FULL)
    pen = ImageDraw.Draw(mask)
    r = EDGE * 0.13
    for ring, count in ((0.3, 10), (0.18, 7), (0.02, 1)):
        for i in range(count):
            x, y = around((EDGE / 2, EDGE / 2), EDGE * ring, 2 * math.pi * (i + rng.random() * 0.3) / count)
            ball(color, 0.5).lay(picture, (x, y), EDGE * 0.3)
            pen.ellipse((x - r, y - r, x + r, y + r), fill=255)
    return morsel(picture, mask.filter(ImageFilter.GaussianBlur(1)))


@cache
def leaf(color: str, wide: float = 0.3, wavy: float = 0.0) -> Morsel:
    """A leaf that points up, `wide` of its length to each side, one half lighter than the other."""
    tone = color_of(color)
    outs = [
        wide * math.sin(math.pi * (i / 20) ** 0.8) ** 0.8 * (1 + wavy * math.sin(i * 1.7)) for i in range(21)
    ]
    outline = [(EDGE * (1 - out * 2), EDGE * (0.12 + 0.088 * i)) for i, out in enumerate(outs)]
    outline += [(EDGE * 2 - x, y) for x, y in reversed(outline)]
    large = Image.new("RGB", _LARGE, tone)
    pen = ImageDraw.Draw(large)
    pen.rectangle((EDGE, 0, EDGE * 2, EDGE * 2), fill=shade(tone, 0.74))
    for i in range(1, 8):
        y = EDGE * (0.25 + 0.2 * i)
        for side in (-1, 1):
            vein = EDGE, y + 30, EDGE + side * EDGE * wide * 1.7, y - 22
            pen.line(vein, fill=shade(tone, 1.14), width=3)
    pen.line((EDGE, EDGE * 0.15, EDGE, EDGE * 1.9), fill=shade(tone, 1.35), width=5)
    picture = large.filter(ImageFilter.BoxBlur(2)).reduce(2)
    glow(picture, (EDGE * 0.36, EDGE * 0.36), EDGE * 0.4, shade(tone, 1.5), 0.5)
    return morsel(picture, shape(_FULL, lambda pen, _: pen.polygon(outline, fill=255)))


@dataclass(frozen=True)
class Cut:
    """What a slice shows: rings of (share of the square, colour) from outside in, segments, seeds."""

    rings: Sequence[tuple[float, str]]
    segments: int = 0
    seeds: int = 0
    seed_color: str = "ffffff"
    seed_ring: float = 0.3


CUTS = {
    "orange": Cut(((0.86, "e8891c"), (0.78, "fbe3b4"), (0.72, "f5a52f")), segments=9),
    "lemon": Cut(((0.86, "ecc92c"), (0.78, "fbf3c8"), (0.72, "f6e06a")), 8, 3, "f0e6b0"),
    "kiwi": Cut(
        ((0.86, "6c4c24"), (0.8, "9cc043"), (0.66, "86b32f"), (0.24, "eef0cd")), 0, 22, "22240f", 0.36
    ),
    "cucumber": Cut(((0.86, "3d6b2b"), (0.78, "d6e6ae"), (0.5, "c3db94")), 0, 9, "eef4d2"),
    "tomato": Cut(((0.86, "b3200f"), (0.76, "e0452c"), (0.6, "c92f1a")), 3, 12, "f0b64c", 0.42),
    "radish": Cut(((0.86, "c62a58"), (0.76, "faf1f2"), (0.4, "fdf9f8"))),
    "egg": Cut(((0.86, "f7f3ea"), (0.8, "fcfaf4"), (0.46, "f0a526"), (0.3, "f7bb3d"))),
    "banana": Cut(((0.86, "e8d27a"), (0.78, "f8eec4"), (0.4, "f2e2a8")), 0, 6, "8a6a34", 0.14),
    "salami": Cut(((0.86, "7c1f12"), (0.76, "b2412a"), (0.6, "b94a30"))),
}


@cache
def slice_of(name: str) -> Morsel:
    """A round slice of what `CUTS` has under `name`."""
    return morsel(_cut_paint(CUTS[name]), oval())


def _cut_paint(kind: Cut) -> Image.Image:
    """The cut face of a slice."""
    large = Image.new("RGB", _LARGE, color_of(kind.rings[0][1]))
    pen = ImageDraw.Draw(large)
    middle = EDGE, EDGE
    for share, color in kind.rings:
        box = EDGE * (1 - share), EDGE * (1 - share), EDGE * (1 + share), EDGE * (1 + share)
        pen.ellipse(box, fill=color_of(color))
    for i in range(kind.segments):
        end = around(middle, EDGE * kind.rings[1][0], 2 * math.pi * i / kind.segments)
        pen.line((*middle, *end), fill=color_of(kind.rings[1][1]), width=6)
    for i in range(kind.seeds):
        x, y = around(middle, EDGE * kind.seed_ring, 2 * math.pi * i / kind.seeds)
        pen.ellipse((x - 6, y - 6, x + 6, y + 6), fill=color_of(kind.seed_color))
    picture = large.filter(ImageFilter.BoxBlur(2.5)).reduce(2)
    glow(picture, (EDGE * 0.34, EDGE * 0.3), EDGE * 0.5, WHITE, 0.3)
    return picture


@cache
def salami() -> Morsel:
    """A slice of salami, speckled with fat."""
    paint = _cut_paint(CUTS["salami"])
    specks = levels(noise(random.Random("salami"), _FULL, (14, 14), 2), 165, 215)
    paint.paste((226, 150, 118), (0, 0), faded(specks, 0.6))
    return morsel(paint, oval())


@cache
def bean() -> Morsel:
    """A coffee bean."""
    paint = _ball_paint(color_of("4a2a17"), 0.4)
    fold = [(EDGE * (0.5 + 0.05 * math.sin(k / 3)), EDGE * k / 20) for k in range(21)]
    ImageDraw.Draw(paint).line(fold, fill=(24, 12, 6), width=6)
    return morsel(paint.filter(ImageFilter.GaussianBlur(1.2)), oval(0.52, 0.76))
