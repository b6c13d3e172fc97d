"""Conifers in fog."""

import random

from PIL import Image

from ..brush import Frame, Point, glow, outlined
from ..color import Color, mix
from ..terrain import fill_below, octaves_for, ridge
from .sky import clouds, light, mist, sky

# Sky at the top, in the middle, the fog, the far, the near, the light in the fog.
FOREST_LIGHT = (
    "a9c0c4 cfdcd8 e9ece2 9db5ad 0f2420 fff8e4",
    "7f97a8 b9c8cc e3e2d6 8aa3a4 101f26 fff1d2",
    "c9a58a e6c8a6 f7e3c4 b59a80 2a211b fff0cc",
    "8fa58c c3cfae ecebd0 96ab88 142315 fffbe0",
    "56687f 8f9bb0 d3cfd0 76839a 0e1524 ffe9d6",
)


def forest(frame: Frame) -> Image.Image:
    """Row behind row of firs, the fog between them."""
    rng = frame.rng("forest")
    colors = light(rng, FOREST_LIGHT)
    horizon = rng.uniform(0.3, 0.45)
    picture = sky(frame, colors, horizon)
    clouds(frame, picture, mix(colors[2], (255, 255, 255), 0.3), 0.5, horizon)
    at = rng.uniform(0.2, 0.8) * frame.width, horizon * frame.height * rng.uniform(0.6, 1.0)
    glow(picture, at, frame.side * 0.9, colors[5], 0.8, 1.8)
    rows = 6
    for i in range(rows):
        row(frame, picture, colors, i / (rows - 1), horizon)
    return picture


def row(frame: Frame, picture: Image.Image, colors: list[Color], t: float, horizon: float) -> None:
    """One row of trees on its slope, at nearness `t` (0 far, 1 near)."""
    rng = frame.rng(f"row{t:.1f}")
    base = horizon + 0.1 + (1.0 - horizon) * 0.86 * t**1.1
    slope = [base + v for v in ridge(frame.rng(f"slope{t:.1f}"), octaves_for(frame), 0.08, 0.45)]
    tone = mix(mix(colors[2], colors[3], 0.35 + t), colors[4], t**1.25)
    tall = 0.05 + 0.3 * t**1.3
    count = frame.some(round(100 - 68 * t))
    trees = []
    for _ in range(count):
        x, height, grown = rng.uniform(-0.02, 1.02), tall * rng.triangular(0.45, 1.15, 0.8), rng.random()
        foot = slope[min(len(slope) - 1, max(0, round(x * (len(slope) - 1))))] + height * 0.07
        place = x * frame.width, foot * frame.height
        trees.append(fir(random.Random(grown), place, height * frame.height, 4 if frame.tiny else 13))
    top = max(0, min(round(tree[0][1]) for tree in trees) - 1)
    if top < frame.height:
        picture.paste(tone, (0, top), outlined(trees, (frame.width, frame.height - top), top))
    low = mix(tone, colors[2], 0.75 * (1 - t) + 0.05)
    fill_below(
        picture, slope, ((0, tone), (min(0.9, base - 0.02), tone), (min(0.98, base + 0.16), low), (1, low))
    )
    if t < 0.95:
        mist(frame, picture, colors[2], base + 0.07, 0.13, 0.95 * (1 - t) + 0.12)


def fir(rng: random.Random, foot: Point, height: float, tiers: int) -> list[Point]:
    """The outline of a fir of `height` pixels that stands on the pixel `foot`."""
    x, y = foot
    wide = height * rng.uniform(0.13, 0.19)
    left: list[Point] = []
    right: list[Point] = []
    for k in range(1, tiers + 1):
        at = y - height * (1 - (k / tiers) ** 1.05 * 0.94)
        reach = wide * (k / tiers) ** 0.85
        droop = height * 0.035
        for side, outline in ((-1, left), (1, right)):
            out = reach * rng.uniform(0.6, 1.12)
            outline += [
                (x + side * out, at + droop * rng.uniform(0.2, 1)),
                (x + side * out * 0.42, at - droop * 0.1),
            ]
    trunk = [
        (x + wide * 0.08, y - height * 0.05),
        (x + wide * 0.08, y),
        (x - wide * 0.08, y),
        (x - wide * 0.08, y - height * 0.05),
    ]
    return [(x, y - height), *right, *trunk, *reversed(left)]
