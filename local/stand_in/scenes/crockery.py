"""Plates, bowls, cups, cutlery and napkins, seen from above and lit from the upper left."""

import random
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from ..brush import BICUBIC, BILINEAR, Frame, Point, faded, glow, levels, noise, overlay, shape, slanted
from ..color import Color, color_of, shade
from .table import LINENS, table

GLAZES = ("f4f1ea", "e9e4da", "dfe5e6", "3c4248", "c9d3cf", "e8d9c6", "5b6d78", "f2ede4")


@dataclass(frozen=True)
class Dish:
    """A dish on its table: the picture under way, the pixel of its middle, its radius in pixels."""

    frame: Frame
    picture: Image.Image
    rng: random.Random
    at: Point
    radius: float
    glaze: Color


def setting(frame: Frame, part: str, forks: bool = True) -> Dish:
    """A table laid with cutlery, perhaps a napkin, and room for a dish that `part` names."""
    rng = frame.rng(part)
    picture = table(frame)
    radius = frame.side * rng.uniform(0.37, 0.49)
    at = frame.width * rng.uniform(0.4, 0.6), frame.height * rng.uniform(0.42, 0.58)
    side, tilt = rng.choice((-1, 1)), rng.uniform(-12, 12)
    if rng.random() < 0.45:
        place = at[0] + side * radius * rng.uniform(0.55, 0.9), at[1] + radius * rng.uniform(-0.2, 0.7)
        napkin(frame, picture, place, radius * 1.5, rng.uniform(-35, 35))
    tools = rng.choice(((True,), (False,), (True, False), ()))
    for i, fork in enumerate(tools if forks else tools[:1]):
        place = at[0] + side * radius * (1.2 + 0.22 * i), at[1] + radius * 0.1
        cutlery(frame, picture, place, radius * 1.75, tilt + 2 * i, fork and forks)
    return Dish(frame, picture, rng, at, radius, color_of(rng.choice(GLAZES)))


def corner(at: Point, across: int) -> tuple[int, int]:
    """The upper left pixel of a square `across` wide around the pixel `at`."""
    return round(at[0] - across / 2), round(at[1] - across / 2)


def shadow(picture: Image.Image, at: Point, radius: float, strength: float = 0.55) -> None:
    """The soft shadow of something round, which falls to the lower right."""
    across = round(radius * 2 * 64 / 40)
    drop = radius * 0.09
    soft = faded(_soft_disc(), strength).resize((across, across), BILINEAR)
    picture.paste((22, 14, 10), corner((at[0] + drop, at[1] + drop), across), soft)


@cache
def _soft_disc() -> Image.Image:
    """A blurred disc of 40 pixels in a square of 64."""
    low = Image.new("L", (64, 64))
    ImageDraw.Draw(low).ellipse((12, 12, 52, 52), fill=255)
    return low.filter(ImageFilter.GaussianBlur(3.4))


def disc(across: int, share: float = 1.0) -> Image.Image:
    """A mask `across` pixels wide with a filled circle that takes `share` of it."""

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        inset = across * scale * (1 - share) / 2
        pen.ellipse((inset, inset, across * scale - inset, across * scale - inset), fill=255)

    return shape((across, across), draw)


@cache
def _relief(deep: bool) -> Image.Image:
    """How light each part of a plate, or of a `deep` bowl, is when lit from the upper left."""
    across = 480
    lit = slanted((across, across), 45, 255, 120)
    shaded = slanted((across, across), 45, 70 if deep else 120, 250)
    edge, well, floor = (0.96, 0.93, 0.6) if deep else (0.975, 0.74, 0.66)
    even = Image.new("L", lit.size, 210)
    image = lit.point([min(255, v + 30) for v in range(256)])
    image.paste(Image.blend(lit, even, 0.6), (0, 0), disc(across, edge))
    image.paste(Image.blend(shaded, lit, 0.1), (0, 0), disc(across, well))
    image.paste(Image.blend(shaded, even, 0.62), (0, 0), disc(across, floor))
    return image.filter(ImageFilter.GaussianBlur(3))


def crockery(picture: Image.Image, at: Point, radius: float, glaze: Color, deep: bool = False) -> None:
    """A plate, or a `deep` bowl, of the colour `glaze` with its middle at the pixel `at`."""
    across = max(4, round(radius * 2))
    shadow(picture, at, radius, 0.75 if deep else 0.6)
    relief = _relief(deep).resize((min(480, across),) * 2, BICUBIC)
    body = ImageOps.colorize(relief, shade(glaze, 0.25), shade(glaze, 1.35), shade(glaze, 0.94), midpoint=185)
    picture.paste(body.resize((across, across), BILINEAR), corner(at, across), disc(across))


def fill(picture: Image.Image, at: Point, content: Image.Image, depth: float = 0.5) -> None:
    """Pours `content` (a square) into a bowl as a disc, in the shadow of the rim at the upper left."""
    dark = faded(_rim_shadow(), depth).resize(content.size, BILINEAR)
    content.paste((20, 10, 6), (0, 0), dark)
    picture.paste(content, corner(at, content.width), disc(content.width))


@cache
def _rim_shadow() -> Image.Image:
    """The shadow that the rim of a bowl throws on what is in it."""
    rim = slanted((96, 96), 45, 255, 0)
    inner = Image.new("L", (96, 96), 255)
    ImageDraw.Draw(inner).ellipse((9, 9, 87, 87), fill=0)
    return ImageChops.multiply(levels(rim, 60, 255), inner.filter(ImageFilter.GaussianBlur(4)))


def drop_on(
    frame: Frame, picture: Image.Image, at: Point, thing: Image.Image, size: tuple[float, float], angle: float
) -> None:
    """Lays a flat `thing` (RGBa), made `size` pixels and turned by `angle` degrees, around the pixel `at`."""
    exact = max(1, round(size[0])), max(2, round(size[1]))
    turned = thing.resize(exact, BICUBIC, reducing_gap=2.0).rotate(angle, BILINEAR, expand=True)
    x, y = round(at[0] - turned.width / 2), round(at[1] - turned.height / 2)
    if not frame.tiny:
        drop = max(1, round(size[1] / 55))
        low = turned.getchannel("a").reduce(4).filter(ImageFilter.BoxBlur(size[1] / 320))
        soft = faded(low.resize(turned.size, BILINEAR), 0.45)
        picture.paste((20, 14, 10), (x + drop, y + drop), soft)
    picture.paste(turned, (x, y), turned)


@cache
def _piece(fork: bool) -> Image.Image:
    """A fork or a spoon that points up, as RGBa."""
    size = 80, 480

    def draw(pen: ImageDraw.ImageDraw, _: float) -> None:
        pen.polygon([(72, 300), (88, 300), (98, 920), (62, 920)], fill=255)
        pen.ellipse((62, 896, 98, 944), fill=255)
        if not fork:
            pen.ellipse((28, 28, 132, 312), fill=255)
            return
        pen.rounded_rectangle((36, 160, 124, 336), 44, fill=255)
        for x in (36, 62, 88, 114):
            pen.rounded_rectangle((x, 20, x + 10, 220), 5, fill=255)

    metal = ImageOps.colorize(slanted(size, 90, 255, 0), (120, 118, 116), (236, 234, 230))
    glow(metal, (34, 70), 34, (250, 250, 250), 0.8)
    metal.putalpha(shape(size, draw))
    return metal.convert("RGBa")


def cutlery(frame: Frame, picture: Image.Image, at: Point, length: float, angle: float, fork: bool) -> None:
    """A fork or a spoon `length` pixels long with its middle at the pixel `at`."""
    drop_on(frame, picture, at, _piece(fork), (length / 6, length), angle)


def napkin(frame: Frame, picture: Image.Image, at: Point, across: float, angle: float) -> None:
    """A folded cloth with a striped hem, `across` pixels wide."""
    rng = frame.rng("napkin")
    color = color_of(rng.choice((*LINENS, "8c9a94", "b5654a", "44566b", "c9a24f")))
    cloth = Image.new("RGB", (240, 240), color)
    if not frame.tiny:
        cloth = overlay(cloth, noise(rng, (240, 240), (9, 120), 2), 0.12)
        cloth = overlay(cloth, noise(rng, (240, 240), (3, 2), 2), 0.2)
    pen = ImageDraw.Draw(cloth)
    for y in (14, 22, 218, 226):
        pen.line((0, y, 240, y), fill=shade(color, 0.66), width=3)
    pen.line((119, 0, 121, 240), fill=shade(color, 0.82), width=2)
    outline = Image.new("L", cloth.size)
    outline.paste(255, (3, 3, 237, 237))  # a margin, so that turning it leaves a smooth edge
    cloth.putalpha(outline)
    drop_on(frame, picture, at, cloth.convert("RGBa"), (across, across * 0.8), angle)
