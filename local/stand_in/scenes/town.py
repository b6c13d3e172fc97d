"""A city across the water at dusk."""

import math
import random

from PIL import Image, ImageDraw, ImageFilter

from ..brush import Frame, Point, faded, glow, outlined, vertical
from ..color import Color, mix
from .sky import clouds, light, mist, sky
from .water import mirror

# Sky at the top, in the middle, at the horizon, the far, the near, the lamps.
CITY_LIGHT = (
    "1c2a52 7a5f8f f2a07b 7b6a90 0e1430 ffd894",
    "24324f 56739a e9c3a2 6b7d9c 101b2e ffe0a6",
    "3a2f5e b5688a ffb38a 8a5f88 1a1233 ffd79a",
    "0f1d3d 2f4f7d a98fa6 40547f 080e22 ffdf9e",
    "6e8199 c59a94 f8d7b2 a08c94 2b2c40 ffe9c2",
)
Block = tuple[float, float, float, int]  # left, width, top (places), kind of roof


def city(frame: Frame) -> Image.Image:
    """Towers against the last light, their windows lit, and most often a river before them."""
    rng = frame.rng("city")
    colors = light(rng, CITY_LIGHT)
    shore = rng.uniform(0.66, 0.74) if rng.random() < 0.7 else 1.0
    horizon = shore * 0.86
    picture = sky(frame, colors, horizon)
    clouds(frame, picture, mix(colors[2], (255, 225, 215), 0.3), rng.uniform(0.3, 0.8), horizon)
    sun = rng.uniform(0.15, 0.85) * frame.width, horizon * frame.height
    glow(picture, sun, frame.side * 0.9, colors[2], 0.8, 1.6)
    for i, t in enumerate((0.12, 0.42, 0.75, 1.0)):
        skyline(frame, picture, colors, t, shore * (0.98 if i < 3 else 1.0))
        if i < 3:
            mist(frame, picture, colors[2], shore * 0.96, 0.16, 0.6 * (1 - t) + 0.08)
    if shore < 1:
        mirror(frame, picture, shore, colors[4])
    return picture


def blocks(rng: random.Random, t: float, shore: float) -> list[Block]:
    """Houses side by side over the whole width, tallest around one or two centres."""
    centre, second = rng.uniform(0.15, 0.85), rng.uniform(0.0, 1.0)
    tallest = shore * (0.62 - 0.22 * t)
    row, x = [], -0.03
    while x < 1.02:
        width = rng.uniform(0.022, 0.05) * (0.75 + 0.55 * t)
        near = max(1 - abs(x - centre) * 2.2, 0.75 - abs(x - second) * 3, 0.0)
        height = tallest * (0.16 + 0.16 * rng.random() + 0.68 * near * rng.random() ** 0.7)
        row.append((x, width, shore - height, rng.choice((0, 0, 0, 0, 1, 1, 1, 2, 3, 3))))
        x += width * rng.uniform(0.82, 1.12 - 0.12 * t)
    return row


def skyline(frame: Frame, picture: Image.Image, colors: list[Color], t: float, shore: float) -> None:
    """One row of houses at nearness `t`, standing on `shore` (place of y)."""
    row = blocks(frame.rng(f"row{t}"), t, shore)
    outlines = [outline for block in row for outline in house(block, frame.size, shore)]
    top = max(0, math.floor(min(y for outline in outlines for _, y in outline)))
    size = frame.width, max(1, round(shore * frame.height) - top)
    tone = mix(mix(colors[2], colors[3], 0.45 + 0.6 * t), colors[4], t**1.3 * 0.92)
    paint = vertical(size, ((0, tone), (0.5, tone), (1, mix(tone, colors[2], 0.42 * (1 - t) + 0.06))))
    picture.paste(paint, (0, top), outlined(outlines, size, top))
    if t > 0.3 and not frame.tiny:
        windows(frame, picture, row, t, shore, mix(colors[5], tone, 0.55 * (1 - t)))


def house(block: Block, size: tuple[int, int], shore: float) -> list[list[Point]]:
    """The outlines in pixels of one house and of its roof: flat, stepped, pointed, or with a mast."""
    (left, wide, top, roof), (across, down) = block, size
    rise = wide * across / down

    def box(inset: float, up: float) -> list[Point]:
        x, y, right = (
            (left + wide * inset) * across,
            (top - rise * up) * down,
            (left + wide * (1 - inset)) * across,
        )
        return [(x, y), (right, y), (right, shore * down), (x, shore * down)]

    if roof == 1:
        return [box(0, 0), box(0.2, 0.35)]
    if roof == 2:
        spire = box(0.25, -0.05)
        return [box(0, 0), [((left + wide / 2) * across, (top - rise * 1.3) * down), *spire[1::-1]]]
    return [box(0, 0), box(0.465, 1.1)] if roof == 3 else [box(0, 0)]


def windows(
    frame: Frame, picture: Image.Image, row: list[Block], t: float, shore: float, lamp: Color
) -> None:
    """Lit windows in a row of houses, with a soft shine around them."""
    rng = frame.rng(f"windows{t}")
    lit = Image.new("L", frame.size)
    pen = ImageDraw.Draw(lit)
    for block in row:
        storeys(pen, random.Random(rng.random()), block, frame, (0.0042 + 0.0018 * t, shore))
    halo = lit.reduce(4).filter(ImageFilter.GaussianBlur(frame.side / 350)).resize(frame.size)
    picture.paste(lamp, (0, 0), faded(halo, 0.9))
    picture.paste(lamp, (0, 0), lit)


def storeys(
    pen: ImageDraw.ImageDraw, rng: random.Random, block: Block, frame: Frame, layout: tuple[float, float]
) -> None:
    """The windows of one house: some storeys dark, some all lit; `layout` is (window's room, shore)."""
    (x, wide, top, _), (step, shore) = block, layout
    unit, rise = step * frame.width, step * 1.62 * frame.width
    columns = int(wide / step - 0.6)
    left = (x + wide / 2) * frame.width - columns * unit / 2
    busy = rng.uniform(0.08, 0.5)
    for storey in range(int((shore - top) * frame.height / rise) - 1):
        y = top * frame.height + (storey + 0.7) * rise
        chance = busy * rng.uniform(0.2, 1.6)
        for column in range(columns):
            if rng.random() < chance:
                at = left + (column + 0.22) * unit
                pen.rectangle((at, y, at + unit * 0.5, y + rise * 0.45), fill=rng.randrange(90, 256))
