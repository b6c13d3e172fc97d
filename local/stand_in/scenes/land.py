"""Mountains in mist, and dunes."""

import math
import random

from PIL import Image, ImageChops

from ..brush import Frame, Point, noise, outlined, ramp
from ..color import Color, mix, shade
from ..terrain import fill_below, grained, octaves_for, ridge
from .sky import clouds, light, mist, shine, sky
from .water import mirror

# Sky at the top, in the middle, at the horizon, the far, the near, the sun.
MOUNTAIN_LIGHT = (
    "6f8fb0 b9cddb f3e3cf a9bccb 1d2f3a fff3d6",
    "3d4f7a a98fb0 f6b99a b592a6 23203a ffe3b8",
    "8fa9a8 cfdcd2 f2ead6 a9bfb4 1e3a35 fffbe6",
    "2f4468 7f86ab f0a27e 8c7f9f 1a1f33 ffd8a0",
    "9db4c6 d6e0e6 eef0ec b3c4d0 2a3d4d ffffff",
    "c98a6b e8b890 fbe3bd d2a58a 4a2c2e fff4d0",
)
DUNE_LIGHT = (
    "7fa7c7 c4d5d8 f6e2c4 e9c48f a8622c fff6dc",
    "d98d62 f2b987 fde0b0 eeb173 8a3f22 fff0c0",
    "4c4f7c c98a92 f9c79a dba07c 6b3538 ffe9b4",
    "a7c3d2 dfe6df f8efdc efd9b4 b98a58 ffffff",
)


def mountains(frame: Frame) -> Image.Image:
    """Ridge behind ridge in the haze, sometimes above a lake."""
    rng = frame.rng("mountains")
    colors = light(rng, MOUNTAIN_LIGHT)
    horizon = rng.uniform(0.4, 0.55)
    picture = sky(frame, colors, horizon)
    clouds(frame, picture, mix(colors[2], (255, 255, 255), 0.35), rng.uniform(0.2, 0.75), horizon)
    sun = rng.uniform(0.15, 0.85) * frame.width, horizon * rng.uniform(0.55, 0.9) * frame.height
    shine(frame, picture, sun, colors[5], rng.uniform(0.018, 0.035))
    lake = rng.random() < 0.45
    end = rng.uniform(0.66, 0.74) if lake else 0.95
    count = rng.choice((5, 6, 7))
    for i in range(count):
        hills(frame, picture, colors, i / (count - 1), horizon - 0.1, end)
    if not frame.tiny:
        grained(picture, noise(rng, (256, 256), (10, 16), 5, 0.6), horizon - 0.1, (0.06, 0.3))
    if lake:
        mirror(frame, picture, end, colors[4])
    return picture


def hills(
    frame: Frame, picture: Image.Image, colors: list[Color], t: float, first: float, end: float
) -> None:
    """One ridge, at nearness `t` (0 far, 1 near), between the heights `first` and `end`."""
    rng = frame.rng(f"hills{t:.2f}")
    base = first + (end - first) * t**1.15 - 0.05 * t
    tall = 0.13 - 0.05 * t
    line = [base + v for v in ridge(rng, octaves_for(frame), tall, 0.52)]
    body = mix(mix(colors[2], colors[3], 0.35 + t), colors[4], t**1.4)
    low = mix(body, colors[2], 0.6 * (1 - t) + 0.08)
    top = min(line)
    fill_below(picture, line, ((0, body), (max(0.0, top), body), (min(0.99, base + 0.22), low), (1, low)))
    if t < 0.95:
        mist(frame, picture, mix(colors[2], (255, 255, 255), 0.15), base + 0.13, 0.1, 0.75 * (1 - t) + 0.1)


def dunes(frame: Frame) -> Image.Image:
    """Dune behind dune, each with its side in the light and its side in the shade."""
    rng = frame.rng("dunes")
    colors = light(rng, DUNE_LIGHT)
    horizon = rng.uniform(0.36, 0.5)
    picture = sky(frame, colors, horizon)
    side = rng.choice((-1, 1))
    sun = (0.5 + side * rng.uniform(0.1, 0.32)) * frame.width, horizon * rng.uniform(0.4, 0.75) * frame.height
    clouds(frame, picture, mix(colors[2], (255, 255, 255), 0.4), rng.uniform(0.1, 0.5), horizon)
    shine(frame, picture, sun, colors[5], rng.uniform(0.022, 0.035))
    count = rng.choice((4, 5))
    for i in range(count):
        dune(frame, picture, colors, i / (count - 1), horizon, side)
    if not frame.tiny:
        ripples = noise(rng, (512, 512), (6, 50), 4).rotate(rng.uniform(-12, 12), Image.Resampling.BICUBIC)
        grained(picture, ripples.crop((60, 60, 452, 452)), horizon, (0.05, 0.3))
    return picture


def dune(
    frame: Frame, picture: Image.Image, colors: list[Color], t: float, horizon: float, side: int
) -> None:
    """One dune at nearness `t`, its shade falling away from the sun, which stands on `side`."""
    rng = frame.rng(f"dune{t:.2f}")
    base = horizon + 0.03 + (0.84 - horizon) * t**1.2
    tall, wide = rng.uniform(0.05, 0.08) + 0.1 * t, rng.uniform(0.22, 0.34) + 0.12 * t
    crest = hump(rng, base, tall, wide)
    body = mix(mix(colors[2], colors[3], 0.5 + t), colors[4], 0.2 * t)
    top = min(crest)
    stops = (
        (0, shade(body, 1.25)),
        (top, shade(body, 1.25)),
        (min(0.95, top + 0.3), body),
        (1, mix(body, colors[4], 0.3)),
    )
    fill_below(picture, crest, stops)
    dark = mix(mix(colors[3], colors[4], 0.45 + 0.4 * t), colors[0], 0.12)
    bend = side * rng.uniform(0.16, 0.3), tall * rng.uniform(2.2, 3.2)
    lee(frame, picture, crest, bend, dark, 0.6 + 0.3 * t)


def hump(rng: random.Random, base: float, tall: float, wide: float) -> list[float]:
    """The crest of a dune: one peak, `tall` above `base` and about `wide` to each side, on gentle waves."""
    peak, waves, shift = rng.uniform(0.1, 0.9), rng.uniform(5, 9), rng.uniform(0, 6)
    xs = [i / 96 for i in range(97)]
    rise = [math.exp(-(abs((x - peak) / wide) ** 1.35)) + 0.1 * math.sin(shift + x * waves) for x in xs]
    return [base - tall * up for up in rise]


def lee(
    frame: Frame, picture: Image.Image, crest: list[float], bend: Point, color: Color, strength: float
) -> None:
    """Shades a dune on one side of a line that swings down from its peak, `bend` wide and deep (places)."""
    steps, (swing, deep) = len(crest) - 1, bend
    at = crest.index(min(crest))
    x, y = at / steps, crest[at]
    edge = curve(
        (x, y), (x + swing, y + deep * 0.1), (x - swing * 0.9, y + deep * 0.5), (x + swing * 0.7, y + deep)
    )
    away = range(at, -1, -1) if swing > 0 else range(at, steps + 1)
    rim = [(i / steps, crest[i]) for i in away]
    outline = [*rim, (rim[-1][0], 1.5), (edge[-1][0], 1.5), *reversed(edge)]
    top, bottom = max(0, math.floor(y * frame.height)), min(frame.height, round((y + deep) * frame.height))
    if bottom - top < 2:
        return
    mask = outlined(
        [[(px * frame.width, py * frame.height) for px, py in outline]], (frame.width, bottom - top), top
    )
    fade = ramp(mask.size, ((0, round(255 * strength)), (1, 0)))
    picture.paste(color, (0, top), ImageChops.multiply(mask, fade))


def curve(a: Point, b: Point, c: Point, d: Point, steps: int = 24) -> list[Point]:
    """Points of the cubic Bézier curve from `a` to `d`."""
    points = []
    for i in range(steps + 1):
        t, s = i / steps, 1 - i / steps
        parts = s**3, 3 * s * s * t, 3 * s * t * t, t**3
        x, y = (sum(w * p[axis] for w, p in zip(parts, (a, b, c, d), strict=True)) for axis in (0, 1))
        points.append((x, y))
    return points
