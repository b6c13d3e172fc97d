"""The sea, and still water that mirrors."""

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from ..brush import Frame, faded, flat, levels, noise, overlay, ramp, vertical
from ..color import Color, mix
from ..terrain import fill_below, octaves_for, plane, ridge
from .sky import clouds, light, shine, sky

# Sky at the top, in the middle, at the horizon, the far, the near, the sun.
SEA_LIGHT = (
    "33507f a98da8 ffc79a 7d7d9f 16283f fff0c4",
    "5f93bd a9cfe0 f4ecd8 6ea6bb 12455c fffbe8",
    "29335c b06a86 ff9e6b 8a5f7d 1b1d3a ffe6a8",
    "8fb3c4 cfe0e2 f8efe2 8fb6bd 2b5f6c ffffff",
    "d58f7e f2bf9a ffe8bf c59a90 5a4658 fffbe0",
)


def sea(frame: Frame) -> Image.Image:
    """The open sea under a low sun, whose light lies on the water."""
    rng = frame.rng("sea")
    colors = light(rng, SEA_LIGHT)
    horizon = rng.uniform(0.42, 0.62)
    picture = sky(frame, colors, horizon)
    clouds(frame, picture, mix(colors[2], (255, 255, 255), 0.3), rng.uniform(0.3, 0.9), horizon)
    sun = rng.uniform(0.2, 0.8) * frame.width, horizon * rng.uniform(0.72, 0.95) * frame.height
    shine(frame, picture, sun, colors[5], rng.uniform(0.02, 0.036))
    if rng.random() < 0.55:
        far = [horizon - 0.012 + 0.6 * min(0.02, v) for v in ridge(rng, octaves_for(frame), 0.045)]
        fill_below(picture, far, flat(mix(colors[2], colors[3], 0.8)))
    water(frame, picture, colors, horizon, sun[0])
    return picture


def water(frame: Frame, picture: Image.Image, colors: list[Color], horizon: float, sun: float) -> None:
    """The sea from `horizon` down, lit below the pixel column `sun`."""
    width = frame.width
    line = round(horizon * frame.height)
    size = width, frame.height - line
    surface = vertical(size, ((0, mix(colors[2], colors[3], 0.6)), (0.25, colors[3]), (1, colors[4])))
    edge, octaves = (96, 1) if frame.tiny else (640, 3)
    swell = noise(frame.rng("waves"), (edge, edge), (100, 130), octaves, 0.7)
    waves = plane(swell, size, 0.13)
    surface = overlay(surface, waves, 0.5)
    low = 64, max(2, 64 * size[1] // width)
    path = Image.new("L", low)
    at = sun / width * low[0]
    ImageDraw.Draw(path).polygon([(at - 3, 0), (at + 3, 0), (at + 11, low[1]), (at - 11, low[1])], fill=255)
    path = path.filter(ImageFilter.GaussianBlur(5)).resize(size, Image.Resampling.BICUBIC)
    sparks = ImageChops.multiply(levels(waves, 112, 205), levels(path, 0, 200))
    surface.paste(colors[5], (0, 0), faded(levels(path, 0, 255), 0.28))
    surface.paste(mix(colors[5], (255, 255, 255), 0.4), (0, 0), faded(sparks, 0.95))
    surface.paste(colors[2], (0, 0), ramp(size, ((0, 130), (0.06, 30), (0.15, 0), (1, 0))))
    picture.paste(surface, (0, line))


def mirror(frame: Frame, picture: Image.Image, shore: float, deep: Color) -> None:
    """Still water below `shore` (place of y), which shows what is above it."""
    width, height = frame.size
    line = round(shore * height)
    depth = height - line
    seen = ImageOps.flip(picture.crop((0, max(0, line - round(depth * 1.4)), width, line))).resize(
        (width, depth)
    )
    seen = seen.filter(ImageFilter.BoxBlur((0, max(1, depth / 60)))) if not frame.tiny else seen
    ripple = plane(noise(frame.rng("ripple"), (512, 512), (90, 64), 2), (width, depth))
    seen = overlay(seen, ripple, 0.22)
    seen.paste(deep, (0, 0), ramp(seen.size, ((0, 90), (0.12, 40), (1, 150))))
    picture.paste(seen, (0, line))
