"""A table seen from above, and the light on it."""

import random
from collections.abc import Callable
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw

from ..brush import BICUBIC, Frame, faded, glow, levels, noise, overlay, slanted
from ..color import color_of, shade

WOODS = ("8a5f3c", "a97c50", "6a4630", "c9a57a", "4c3426")
LINENS = ("e4ded2", "cfd5d3", "d9c9b6", "b9c2bd", "efe9df")
STONES = ("3b3f44", "2f3336", "4a4745", "58606a")


def table(frame: Frame) -> Image.Image:
    """A bare table in window light."""
    rng = frame.rng("table")
    surface: Callable[[Frame, random.Random], Image.Image] = rng.choice((wood, wood, linen, slate, marble))
    window = rng.uniform(-0.1, 0.3) * frame.width, rng.uniform(-0.2, 0.1) * frame.height
    picture = surface(frame, rng)
    glow(picture, window, max(frame.size) * 1.1, (255, 248, 234), 0.4, 1.2)
    picture.paste((14, 12, 20), (0, 0), slanted(frame.size, 45, 0, 78))
    return picture


def wood(frame: Frame, rng: random.Random) -> Image.Image:
    """Planks, each of its own tone, the grain along them."""
    color, count, upright = color_of(rng.choice(WOODS)), rng.randrange(4, 8), rng.random() < 0.6
    long = max(frame.size)
    picture = Image.new("RGB", (long, long))
    pen = ImageDraw.Draw(picture)
    edges = [round(long * i / count) for i in range(count + 1)]
    for left, right in pairwise(edges):
        pen.rectangle((left, 0, right, long), fill=shade(color, rng.uniform(0.84, 1.08)))
    if not upright:
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    picture = picture.crop((0, 0, *frame.size))
    if not frame.tiny:
        fibres = noise(rng, (640, 48), (40, 3), 4, 0.75)
        fibres = fibres if upright else fibres.transpose(Image.Transpose.ROTATE_90)
        picture = overlay(picture, fibres.resize(frame.size, BICUBIC), 0.34)
    pen = ImageDraw.Draw(picture)
    for edge in edges[1:-1]:
        seam = (edge, 0, edge, long) if upright else (0, long - edge, long, long - edge)
        pen.line(seam, fill=shade(color, 0.38), width=max(1, round(long / 420)))
    return picture


def linen(frame: Frame, rng: random.Random) -> Image.Image:
    """A cloth with a visible weave and a few soft folds."""
    picture = Image.new("RGB", frame.size, color_of(rng.choice(LINENS)))
    if frame.tiny:
        return picture
    weave = Image.blend(noise(rng, (512, 512), (12, 250), 2), noise(rng, (512, 512), (250, 12), 2), 0.5)
    folds = noise(rng, (512, 512), (2, 3), 2)
    cloth = Image.blend(weave, folds, 0.45).resize((max(frame.size),) * 2, BICUBIC)
    return overlay(picture, cloth.crop((0, 0, *frame.size)), 0.38)


def slate(frame: Frame, rng: random.Random) -> Image.Image:
    """Dark stone."""
    picture = Image.new("RGB", frame.size, color_of(rng.choice(STONES)))
    return picture if frame.tiny else overlay(picture, noise(rng, frame.size, (4, 4), 7, 0.75), 0.4)


def marble(frame: Frame, rng: random.Random) -> Image.Image:
    """White stone with grey veins, which run where a field of noise crosses its middle."""
    picture = Image.new("RGB", frame.size, (238, 237, 234))
    field = noise(rng, (256, 256), (3, 3), 6, 0.55)
    veins = field.point([max(0, 255 - abs(v - 128) * 22) for v in range(256)])
    clouds = levels(noise(rng, (256, 256), (3, 3), 4), 90, 255)
    veins = faded(ImageChops.multiply(veins, clouds), 0.75)
    picture.paste((196, 198, 202), (0, 0), faded(clouds, 0.5).resize(frame.size, BICUBIC))
    picture.paste((132, 134, 140), (0, 0), veins.resize(frame.size, BICUBIC))
    return picture
