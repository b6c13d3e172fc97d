"""A bowl of fruit, coffee, pancakes."""

import math
import random
from functools import cache

from PIL import Image, ImageDraw, ImageFilter

from ..brush import BICUBIC, Frame, Point, around, faded, glow, noise, shape, tinted
from ..color import Color, color_of, shade
from .crockery import Dish, corner, crockery, fill, setting, shadow
from .morsels import Morsel, ball, bean, berry, leaf, slice_of
from .toppings import blob, crumbs, sprig, strew, syrup

YOGHURTS = ("f3efe6", "d9a9c4", "7c4b78", "efe2c4", "c9d7a4")


def berries(rng: random.Random) -> list[Morsel]:
    """Two kinds of berries."""
    kinds = [ball("38446e", 0.35), ball("8e1626", 0.9), berry("c42f4e"), berry("3a2340")]
    return rng.sample(kinds, 2)


def fruit(frame: Frame) -> Image.Image:
    """A breakfast bowl: yoghurt under slices of fruit, berries and seeds."""
    dish = setting(frame, "fruit", forks=False)
    crockery(dish.picture, dish.at, dish.radius, dish.glaze, deep=True)
    yoghurt = color_of(dish.rng.choice(YOGHURTS))
    across = max(4, round(dish.radius * 1.76))
    lumps = noise(dish.rng, (128, 128), (3, 3), 3)
    fill(dish.picture, dish.at, tinted(lumps, across, shade(yoghurt, 0.86), shade(yoghurt, 1.3)), 0.5)
    reach, turn = across * 0.46, dish.rng.uniform(0, 6.3)
    kind = slice_of(dish.rng.choice(("orange", "kiwi", "banana", "lemon", "kiwi")))
    for i in range(6):
        angle = turn + i * 0.36
        kind.lay(dish.picture, around(dish.at, reach * 0.66, angle), reach * 0.52, math.degrees(-angle))
    for i, small in enumerate([*berries(dish.rng), ball("8fa63c")][: dish.rng.randrange(2, 4)]):
        heap = around(dish.at, reach * 0.52, turn + 2.8 + i * 1.25)
        strew(dish, f"berries{i}", [small], 14, reach * 0.36, reach * 0.25, reach * 0.15, heap)
    crumbs(dish, reach * 0.85, color_of("2b2622"), 60)
    crumbs(dish, reach * 0.8, color_of("c79a5c"), 50)
    sprig(dish, leaf("57954a", 0.3, 0.1), 3, reach * 0.36)
    return dish.picture


def coffee(frame: Frame) -> Image.Image:
    """A cup with a figure poured into its foam."""
    dish = setting(frame, "coffee", forks=False)
    crockery(dish.picture, dish.at, dish.radius, dish.glaze)
    cup, turn = dish.radius * 0.64, dish.rng.uniform(-50, 50)
    handle(dish, cup, turn)
    crockery(dish.picture, dish.at, cup, dish.glaze, deep=True)
    across = max(4, round(cup * 1.78))
    content = tinted(noise(dish.rng, (96, 96), (5, 5), 3), across, (110, 62, 28), (158, 98, 50))
    glow(content, (across / 2, across / 2), across * 0.5, (188, 128, 72), 0.7, 1)
    art = heart_art() if dish.rng.random() < 0.5 else fern_art()
    art = art.rotate(turn / 2 + dish.rng.uniform(-20, 20), BICUBIC).resize((across, across), BICUBIC)
    content.paste((250, 236, 212), (0, 0), art)
    fill(dish.picture, dish.at, content, 0.6)
    side = dish.at[0] - dish.radius * 1.05, dish.at[1] + dish.radius * 0.95
    count, size = dish.rng.randrange(1, 26), dish.radius * 0.15
    strew(dish, "beans", [bean()], count, dish.radius * 0.34, size, size * 0.7, side)
    return dish.picture


def handle(dish: Dish, cup: float, turn: float) -> None:
    """The handle of a cup of radius `cup`, pointing right and turned by `turn` degrees."""
    angle = math.radians(turn)
    across = round(cup * 3.2)
    ends = [around((across / 2, across / 2), cup * far, angle) for far in (0.8, 1.36)]

    def bar(wide: float) -> Image.Image:
        def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
            points = [(x * scale, y * scale) for x, y in ends]
            pen.line(points, fill=255, width=max(1, round(cup * wide * scale)))
            (x, y), r = points[1], cup * wide * scale / 2
            pen.ellipse((x - r, y - r, x + r, y + r), fill=255)

        return shape((across, across), draw)

    x, y = corner(dish.at, across)
    drop = round(cup * 0.06)
    dish.picture.paste((22, 14, 10), (x + drop, y + drop), faded(bar(0.2), 0.35))
    dish.picture.paste(shade(dish.glaze, 0.82), (x, y), bar(0.18))
    dish.picture.paste(shade(dish.glaze, 1.1), (x - drop // 4, y - drop // 4), bar(0.1))


@cache
def heart_art() -> Image.Image:
    """A mask of latte art: hearts within hearts."""
    edge = 320
    mask = Image.new("L", (edge, edge))
    pen = ImageDraw.Draw(mask)
    for i, size in enumerate((0.36, 0.29, 0.23, 0.16, 0.1)):
        pen.polygon(heart(edge / 2, edge * (0.5 - 0.012 * i), edge * size), fill=0 if i % 2 else 255)
    return mask.filter(ImageFilter.GaussianBlur(2.6))


@cache
def fern_art() -> Image.Image:
    """A mask of latte art: a fern with a heart at its tip."""
    edge = 320
    mask = Image.new("L", (edge, edge))
    pen = ImageDraw.Draw(mask)
    for i in range(7):
        y, wide = edge * (0.74 - 0.075 * i), edge * (0.33 - 0.034 * i)
        pen.pieslice((edge / 2 - wide, y - wide, edge / 2 + wide, y + wide * 0.52), 5, 175, fill=255)
        wide *= 0.86
        pen.pieslice((edge / 2 - wide, y - wide * 1.2, edge / 2 + wide, y + wide * 0.3), 0, 180, fill=0)
    pen.polygon(heart(edge / 2, edge * 0.24, edge * 0.11), fill=255)
    pen.line((edge / 2, edge * 0.2, edge / 2, edge * 0.86), fill=255, width=4)
    return mask.filter(ImageFilter.GaussianBlur(2.6))


def heart(x: float, y: float, size: float) -> list[Point]:
    """The outline of a heart around (x, y)."""
    points = []
    for k in range(48):
        t = 2 * math.pi * k / 48
        wave = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        points.append((x + size * math.sin(t) ** 3, y - size * wave / 16))
    return points


def pancakes(frame: Frame) -> Image.Image:
    """A stack of pancakes with syrup and berries."""
    dish = setting(frame, "pancakes")
    crockery(dish.picture, dish.at, dish.radius, dish.glaze)
    cake, lift = dish.radius * 0.62, dish.radius * 0.012
    for i in range(3):
        off = [dish.radius * dish.rng.uniform(-0.05, 0.05) - i * lift for _ in "xy"]
        pancake(dish, (dish.at[0] + off[0], dish.at[1] + off[1]), cake)
    syrup(dish, cake)
    kinds = berries(dish.rng)
    strew(dish, "top", kinds, 14, cake * 0.5, cake * 0.28, cake * 0.22)
    for i in range(dish.rng.randrange(0, 6)):
        spot = around(dish.at, dish.radius * dish.rng.uniform(0.78, 0.88), dish.rng.uniform(0, 6.3))
        kinds[i % 2].lay(dish.picture, spot, cake * 0.25)
    sprig(dish, leaf("57954a", 0.3, 0.1), 3, cake * 0.34)
    return dish.picture


def pancake(dish: Dish, at: Point, radius: float) -> None:
    """One pancake: pale at its rim, browned in the middle."""
    shadow(dish.picture, at, radius, 0.3)
    across = max(4, round(radius * 2))
    uneven = noise(dish.rng, (128, 128), (4, 4), 4, 0.4)
    brown: tuple[Color, Color, Color] = (150, 84, 34), (216, 150, 78), (188, 116, 52)
    dish.picture.paste(
        tinted(uneven, across, (226, 176, 104), (248, 218, 154)),
        corner(at, across),
        blob(uneven, across, 0.95, 0.05),
    )
    dish.picture.paste(tinted(uneven, across, *brown), corner(at, across), blob(uneven, across, 0.87, 0.08))
