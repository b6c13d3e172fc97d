"""What is poured, spread or strewn over a dish."""

import math
import random
from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from ..brush import BICUBIC, Point, around, faded, fitted, glow, levels, noise, shape, tinted
from ..color import Color, mix, shade
from .crockery import Dish, corner
from .morsels import Morsel


def scatter(rng: random.Random, count: int, reach: float, apart: float) -> list[Point]:
    """Up to `count` places in a disc of radius `reach` around (0, 0), at least `apart` from each other."""
    places: list[Point] = []
    for _ in range(count * 6):
        spot = around((0, 0), reach * math.sqrt(rng.random()), rng.uniform(0, 2 * math.pi))
        if all(math.dist(spot, other) >= apart for other in places):
            places.append(spot)
        if len(places) == count:
            break
    return places


def strew(
    dish: Dish,
    part: str,
    kinds: Sequence[Morsel],
    count: int,
    reach: float,
    size: float,
    apart: float,
    at: Point | None = None,
) -> None:
    """Lays `count` morsels about `size` pixels wide within `reach` of `at` (else the dish's middle)."""
    rng = dish.frame.rng(f"strew {part}")
    middle = at or dish.at
    for x, y in scatter(rng, dish.frame.some(count), reach, apart):
        kind, turn, wide = rng.choice(kinds), rng.uniform(0, 360), size * rng.uniform(0.88, 1.12)
        kind.lay(dish.picture, (middle[0] + x, middle[1] + y), wide, turn)


def sprig(dish: Dish, leaf: Morsel, count: int, size: float) -> None:
    """A few leaves laid like a fan around the dish's middle."""
    first = dish.frame.rng("sprig").uniform(0, 360)
    for i in range(count):
        angle = first + i * 330 / count
        # A leaf points up, so its tip lies a quarter turn before the angle that Pillow turns it by.
        spot = around(dish.at, size * 0.36, -math.radians(angle + 90))
        leaf.lay(dish.picture, spot, size, angle)


def crumbs(dish: Dish, reach: float, color: Color, count: int) -> None:
    """Flakes of cheese, herbs, seeds: small uneven bits within `reach` pixels of the dish's middle."""
    if dish.frame.tiny:
        return
    rng = dish.frame.rng(f"crumbs {color}")
    bits = []
    for _ in range(count):
        far, turn, size = (
            reach * math.sqrt(rng.random()),
            rng.uniform(0, 6.3),
            reach * rng.uniform(0.012, 0.036),
        )
        middle = around((reach * 1.1, reach * 1.1), far, turn)
        bits.append([around(middle, size * rng.uniform(0.4, 1.2), turn + a) for a in (0, 1.3, 2.6, 3.8, 5.2)])

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        for bit in bits:
            pen.polygon([(x * scale, y * scale) for x, y in bit], fill=255)

    across = round(reach * 2.2)
    mask = shape((across, across), draw)
    x, y = corner(dish.at, across)
    drop = max(1, round(reach * 0.012))
    dish.picture.paste(shade(color, 0.3), (x + drop, y + drop), faded(mask, 0.75))
    dish.picture.paste(color, (x, y), mask)


def spread(dish: Dish, reach: float, color: Color) -> None:
    """A spoonful of thick sauce with an uneven edge."""
    rng = dish.frame.rng("sauce")
    across = max(4, round(reach * 2.3))
    lumps = noise(rng, (128, 128), (7, 7), 4, 0.6)
    edge = blob(lumps, across, 0.8, 0.3)
    paint = tinted(lumps, across, mix(color, (112, 52, 8), 0.32), shade(color, 1.3), color)
    glow(paint, (across * 0.38, across * 0.36), across * 0.2, (255, 240, 220), 0.3)
    x, y = corner(dish.at, across)
    drop = max(1, round(reach * 0.05))
    dish.picture.paste((40, 16, 8), (x + drop, y + drop), faded(edge, 0.45))
    dish.picture.paste(paint, (x, y), edge)


def blob(lumps: Image.Image, across: int, share: float, rough: float) -> Image.Image:
    """A mask of a not quite round disc that takes about `share` of a square `across` wide."""
    uneven = fitted(lumps, across)
    mixed = ImageOps.invert(Image.blend(_distance().resize(uneven.size), uneven, rough))
    rim = 255 - (180 * share * (1 - rough) + 128 * rough)
    return levels(mixed, rim, rim + 3).resize((across, across), BICUBIC)


@cache
def _distance() -> Image.Image:
    """How far each pixel is from the middle."""
    return Image.radial_gradient("L")


def swirl(dish: Dish, content: Image.Image, color: Color) -> None:
    """A spiral of cream on `content`, here thick and there thin."""
    rng = dish.frame.rng("swirl")
    start, turns, phase = rng.uniform(0, 6.3), rng.uniform(2.2, 3.2), rng.uniform(0, 6.3)
    low, steps = (60, 90) if dish.frame.tiny else (300, 420)
    mask = Image.new("L", (low, low))
    pen = ImageDraw.Draw(mask)
    for k in range(steps):
        t = k / steps
        turn = start + turns * 2 * math.pi * t
        x, y = around(
            (low / 2, low / 2), low * (0.06 + 0.3 * t) * (1 + 0.07 * math.sin(turn * 3 + phase)), turn
        )
        r = low * 0.012 * (1.2 + math.sin(turn * 1.7 + phase)) * (1.15 - t) + low * 0.0027
        pen.ellipse((x - r, y - r, x + r, y + r), fill=255)
    soft = mask.filter(ImageFilter.GaussianBlur(low / 190)).resize(content.size, BICUBIC)
    content.paste(color, (0, 0), faded(soft, 0.92))


def syrup(dish: Dish, reach: float) -> None:
    """A glossy pool of syrup with a few drops run down the side."""
    rng = dish.frame.rng("syrup")
    across = max(4, round(reach * 2))
    lumps = noise(rng, (128, 128), (4, 4), 3, 0.4)
    edge = ImageChops.multiply(blob(lumps, across, 0.62, 0.3), blob(lumps, across, 1, 0))
    paint = tinted(lumps, across, (132, 62, 12), (222, 140, 50), (178, 92, 24))
    glow(paint, (across * 0.36, across * 0.34), across * 0.22, (255, 232, 186), 0.6)
    dish.picture.paste(paint, corner(dish.at, across), faded(edge, 0.72))
