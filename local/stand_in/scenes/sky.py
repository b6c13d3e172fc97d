"""The sky, and what hangs in the air: clouds, mist, the sun, and the stars."""

import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from ..brush import Frame, Point, faded, flat, glow, levels, noise, ramp, vertical
from ..color import Color, color_of, mix
from ..terrain import fill_below, octaves_for, ridge

# Sky at the top, in the middle, at the horizon, the far, the near, the stars.
NIGHT_LIGHT = (
    "070b1e 14234a 3c5a86 22345c 05070f ffffff",
    "0b0a22 2b1f55 7a4a86 33264f 07060f ffffff",
    "04121c 0c3440 3f8a86 1a4148 030a0d ffffff",
)


def light(rng: random.Random, choices: tuple[str, ...]) -> list[Color]:
    """The six colours of one light, each a little off, so that no two photos share theirs."""
    drift = rng.uniform(-10, 10), rng.uniform(-7, 7), rng.uniform(-10, 10)

    def moved(color: Color) -> Color:
        red, green, blue = (min(255, max(0, round(c + d))) for c, d in zip(color, drift, strict=True))
        return red, green, blue

    return [moved(color_of(text)) for text in rng.choice(choices).split()]


def clouds(frame: Frame, picture: Image.Image, color: Color, strength: float, down_to: float) -> None:
    """Long soft clouds above `down_to` (place of y)."""
    height = max(2, round(frame.height * down_to))
    rng = frame.rng("clouds")
    veil = levels(noise(rng, (frame.width, height), (3, 7), 3 if frame.tiny else 6, 0.55), 118, 235)
    fade = ramp((frame.width, height), ((0, 150), (0.55, 255), (1, 0)))
    picture.paste(color, (0, 0), faded(ImageChops.multiply(veil, fade), strength))


def sky(frame: Frame, colors: list[Color], horizon: float) -> Image.Image:
    """The sky of a light, its palest band lying on `horizon`."""
    return vertical(
        frame.size, ((0, colors[0]), (horizon * 0.55, colors[1]), (horizon, colors[2]), (1, colors[2]))
    )


def mist(frame: Frame, picture: Image.Image, color: Color, at: float, depth: float, strength: float) -> None:
    """A bank of mist that is thickest at `at` and `depth` deep (places of y)."""
    top, bottom = max(0, round((at - depth) * frame.height)), round(min(1.0, at + depth) * frame.height)
    if bottom - top < 2:
        return
    size = frame.width, bottom - top
    lumps = levels(noise(frame.rng(f"mist{at:.3f}"), size, (4, 3), 3), 0, 200)
    band = ramp(size, ((0, 0), (0.5, 255), (1, 0)))
    picture.paste(color, (0, top), faded(ImageChops.multiply(lumps, band), strength))


def shine(frame: Frame, picture: Image.Image, at: Point, color: Color, radius: float) -> None:
    """The sun at the pixel `at`, with the light around it; `radius` as a share of the shorter side."""
    side = frame.side
    glow(picture, at, side * 1.1, color, 0.5, 2.2)
    glow(picture, at, side * 0.35, color, 0.55, 2)
    r = side * radius
    glow(picture, at, r * 1.25, mix(color, (255, 255, 255), 0.7), 1.0, 0.4)


def night(frame: Frame) -> Image.Image:
    """Stars and the band of the galaxy over dark hills."""
    rng = frame.rng("night")
    colors = light(rng, NIGHT_LIGHT)
    picture = sky(frame, colors, 0.82)
    slope, across = rng.uniform(-1, 1), rng.uniform(0.3, 0.7)
    band = levels(noise(rng, frame.size, (5, 5), 3 if frame.tiny else 7, 0.6), 60, 255)
    low = Image.new("L", (48, 48))
    ImageDraw.Draw(low).line(
        [(48 * (across - slope), 0), (48 * (across + slope * 0.4), 48)], fill=255, width=12
    )
    soft = low.filter(ImageFilter.GaussianBlur(5)).resize(frame.size, Image.Resampling.BICUBIC)
    picture.paste(mix(colors[2], (255, 235, 225), 0.5), (0, 0), faded(ImageChops.multiply(band, soft), 0.85))
    if not frame.tiny:
        stars(frame, picture, soft)
    for i, t in enumerate((0.35, 0.7, 1.0)):
        line = [0.74 + 0.09 * i + v for v in ridge(frame.rng(f"night{i}"), octaves_for(frame), 0.09)]
        fill_below(picture, line, flat(mix(colors[3], colors[4], t)))
        mist(frame, picture, colors[2], 0.86 + 0.07 * i, 0.07, 0.22 * (1 - t))
    return picture


def stars(frame: Frame, picture: Image.Image, band: Image.Image) -> None:
    """Small lights, most of them faint, more of them along `band`."""
    rng = frame.rng("stars")
    unit = max(frame.side / 1000, 0.35)
    for tone in ((196, 212, 255), (255, 255, 255), (255, 236, 208)):
        field = Image.new("L", frame.size)
        pen = ImageDraw.Draw(field)
        for _ in range(420):
            x, y, size = rng.random() * frame.width, rng.random() * frame.height * 0.9, rng.random() ** 6
            if rng.random() < 0.4 + float(band.getpixel((int(x), int(y)))) / 400:  # type: ignore[arg-type]
                r = (0.5 + 1.6 * size) * unit
                pen.ellipse((x - r, y - r, x + r, y + r), fill=round(70 + 185 * size))
        picture.paste(tone, (0, 0), field)
