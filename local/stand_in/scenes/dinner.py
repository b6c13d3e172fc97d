"""Pasta, soup, salad, pizza."""

import math
import random

from PIL import Image, ImageDraw, ImageOps

from ..brush import BICUBIC, Frame, Point, around, glow, levels, noise, tinted
from ..color import Color, color_of, mix, shade
from .crockery import Dish, corner, crockery, fill, setting, shadow
from .morsels import ball, leaf, salami, slice_of
from .toppings import blob, crumbs, scatter, spread, sprig, strew, swirl

# Pasta: its sauce and its dough. Soup: its colour in the dark and in the light.
PASTA = (("b8341c", "efb94c"), ("6b8a2e", "ecc35c"), ("efdcae", "f0c766"), ("c9572a", "e8ab46"))
SOUPS = (
    ("c9551d", "e88a3a"),
    ("7d9a3c", "a9bf5f"),
    ("a8281a", "d2492f"),
    ("d9a33a", "efc76a"),
    ("8a5a34", "b5834f"),
)
GREENS = ("5d8f33", "7fae46", "3f7030", "94bd5a", "6a3a4c")
Pen = ImageDraw.ImageDraw


def pasta(frame: Frame) -> Image.Image:
    """Spaghetti with a sauce, basil and cheese."""
    dish = setting(frame, "pasta")
    crockery(dish.picture, dish.at, dish.radius, dish.glaze)
    sauce, dough = (color_of(color) for color in dish.rng.choice(PASTA))
    heap = dish.radius * 0.68
    shadow(dish.picture, dish.at, heap * 0.92, 0.5)
    spaghetti(dish, heap, dough)
    spread(dish, heap * 0.62, sauce)
    strew(dish, "tomato", [slice_of("tomato")], dish.rng.randrange(0, 7), heap * 0.72, heap * 0.3, heap * 0.3)
    crumbs(dish, heap * 0.8, color_of("fbf0d0"), 46)
    sprig(dish, leaf("4f8a34"), dish.rng.randrange(2, 5), heap * 0.45)
    return dish.picture


def spaghetti(dish: Dish, reach: float, color: Color) -> None:
    """A nest of strands, dark below and bright on top."""
    rng = dish.frame.rng("strands")
    across = max(4, round(reach * 2.1)) * 2
    paint, mask = Image.new("RGB", (across, across), shade(color, 0.42)), Image.new("L", (across, across))
    pens = ImageDraw.Draw(paint), ImageDraw.Draw(mask)
    r, middle = across * 0.36, across / 2
    pens[1].ellipse((middle - r, middle - r, middle + r, middle + r), fill=255)
    count = dish.frame.some(190)
    for i in range(count):
        high = i / count
        tone = mix(shade(color, 0.66), shade(color, 1.15), high + rng.uniform(-0.2, 0.2))
        strand(rng, pens, across, high, tone)
    dish.picture.paste(paint.reduce(2), corner(dish.at, across // 2), mask.reduce(2))


def strand(rng: random.Random, pens: tuple[Pen, Pen], across: int, high: float, color: Color) -> None:
    """One strand: a piece of a loop, with a shadow beside it and a highlight along it."""
    points = loop(rng, across, across * rng.uniform(0.1, 0.42 - 0.2 * high))
    thick = max(1, round(across * 0.019))
    dark, lit = (math.floor(thick * share) for share in (0.5, -0.25))
    pens[0].line([(x + dark, y + dark) for x, y in points], fill=shade(color, 0.5), width=thick)
    pens[0].line(points, fill=color, width=thick)
    pens[0].line([(x + lit, y + lit) for x, y in points], fill=shade(color, 1.4), width=max(1, thick // 4))
    pens[1].line(points, fill=255, width=thick)


def loop(rng: random.Random, across: int, far: float) -> list[Point]:
    """Points along a part of an ellipse about `far` pixels wide, somewhere near the middle."""
    middle = across / 2 * (1 + rng.gauss(0, 0.14)), across / 2 * (1 + rng.gauss(0, 0.14))
    start, sweep, drift = rng.uniform(0, 6.3), rng.uniform(1.4, 4.2), rng.uniform(-0.3, 0.3)
    flat, tilt = rng.uniform(0.6, 1), rng.uniform(0, math.pi)
    cos, sin = math.cos(tilt), math.sin(tilt)
    points = []
    for k in range(17):
        x, y = around((0, 0), far * (1 + drift * k / 16), start + sweep * k / 16)
        points.append((middle[0] + x * cos - y * flat * sin, middle[1] + x * sin + y * flat * cos))
    return points


def soup(frame: Frame) -> Image.Image:
    """A bowl of thick soup with a swirl of cream and herbs."""
    dish = setting(frame, "soup", forks=False)
    crockery(dish.picture, dish.at, dish.radius, dish.glaze, deep=True)
    dark, bright = (color_of(color) for color in dish.rng.choice(SOUPS))
    across = max(4, round(dish.radius * 1.74))
    content = tinted(noise(dish.rng, (128, 128), (4, 4), 4), across, dark, bright)
    glow(content, (across * 0.5, across * 0.5), across * 0.55, bright, 0.6, 1)
    swirl(dish, content, mix((255, 250, 238), bright, 0.12))
    fill(dish.picture, dish.at, content, 0.6)
    reach = across * 0.36
    if dish.rng.random() < 0.4:
        strew(dish, "olives", [ball("7f8f3a", 0.5), ball("c98a3a", 0.4)], 9, reach, reach * 0.17, reach * 0.3)
    crumbs(dish, reach, color_of("3f6b2a"), 60)
    crumbs(dish, reach * 0.8, color_of("2b211c"), 30)
    sprig(dish, leaf("5b9440", 0.26, 0.12), dish.rng.randrange(2, 5), reach * 0.5)
    return dish.picture


def salad(frame: Frame) -> Image.Image:
    """A bowl of leaves with tomatoes, cucumber, radish, olives or egg."""
    dish = setting(frame, "salad")
    crockery(dish.picture, dish.at, dish.radius, dish.glaze, deep=True)
    reach = dish.radius * 0.8
    fill(dish.picture, dish.at, Image.new("RGB", (max(4, round(reach * 2.1)),) * 2, (44, 58, 26)), 0.7)
    rng = dish.frame.rng("leaves")
    for x, y in scatter(rng, frame.some(46), reach * 0.78, reach * 0.08):
        outwards = math.degrees(math.atan2(-x, -y)) + rng.uniform(-70, 70)
        kind = leaf(rng.choice(GREENS), 0.4, 0.16)
        kind.lay(dish.picture, (dish.at[0] + x, dish.at[1] + y), reach * rng.uniform(0.5, 0.8), outwards)
    slices = [slice_of(name) for name in ("tomato", "cucumber", "radish", "egg")]
    kinds = dish.rng.sample([*slices, ball("2b2330")], 3)
    strew(dish, "slices", kinds, 17, reach * 0.72, reach * 0.33, reach * 0.27)
    crumbs(dish, reach * 0.8, color_of("f6ecd0"), 40)
    return dish.picture


def pizza(frame: Frame) -> Image.Image:
    """A round pizza with a browned edge."""
    dish = setting(frame, "pizza")
    shadow(dish.picture, dish.at, dish.radius, 0.7)
    base(dish)
    reach = dish.radius * 0.72
    main = dish.rng.choice((salami(), salami(), slice_of("tomato")))
    strew(dish, "main", [main], 15, reach * 0.84, reach * 0.34, reach * 0.34)
    olive = ball(dish.rng.choice(("33293a", "7f8f3a")), 0.5)
    strew(dish, "olives", [olive], 10, reach * 0.9, reach * 0.15, reach * 0.25)
    strew(
        dish,
        "basil",
        [leaf("447a2e", 0.32)],
        dish.rng.randrange(4, 9),
        reach * 0.75,
        reach * 0.36,
        reach * 0.35,
    )
    crumbs(dish, reach * 0.95, color_of("4b6b2c"), 70)
    return dish.picture


def base(dish: Dish) -> None:
    """The crust, the tomato on it, and the cheese that has melted over both in patches."""
    across, at = max(4, round(dish.radius * 2)), corner(dish.at, max(4, round(dish.radius * 2)))
    uneven, melted = noise(dish.rng, (192, 192), (6, 6), 4), noise(dish.rng, (192, 192), (9, 9), 4, 0.6)
    crust = tinted(uneven, across, (122, 66, 24), (238, 194, 124), (212, 150, 78))
    dish.picture.paste(crust, at, blob(uneven, across, 0.95, 0.06))
    dish.picture.paste(
        tinted(uneven, across, (120, 26, 10), (196, 62, 26)), at, blob(uneven, across, 0.8, 0.12)
    )
    cheese = tinted(melted, across, (226, 150, 62), (252, 236, 190), (246, 208, 128))
    patches = levels(ImageOps.autocontrast(Image.blend(melted, uneven, 0.3)), 70, 110)
    patches = patches.resize((across, across), BICUBIC)
    none = Image.new("L", patches.size)
    dish.picture.paste(cheese, at, Image.composite(patches, none, blob(uneven, across, 0.76, 0.14)))
