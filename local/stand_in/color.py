"""Colours, and how to mix them."""

Color = tuple[int, int, int]  # red, green, blue: 0..255


def mix(a: Color, b: Color, t: float) -> Color:
    """The colour a share `t` of the way from `a` to `b`."""
    t = min(1.0, max(0.0, t))
    return (round(a[0] + (b[0] - a[0]) * t), round(a[1] + (b[1] - a[1]) * t), round(a[2] + (b[2] - a[2]) * t))


def shade(color: Color, factor: float) -> Color:
    """`color` made darker (below 1) or lighter (above 1, towards white)."""
    return mix(color, (255, 255, 255), factor - 1) if factor > 1 else mix((0, 0, 0), color, factor)


def color_of(hex_digits: str) -> Color:
    """`"f4c9a0"` as a colour."""
    value = int(hex_digits, 16)
    return value >> 16, value >> 8 & 255, value & 255
