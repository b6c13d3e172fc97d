"""Do everything that a declaration can say."""

from enum import Enum
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from functions.common.kind import Context, Kind


class Color(Enum):
    """What it is painted with."""

    RED = "red"
    BLUE = "blue"


class Circle(Struct, tag=True):
    radius: Annotated[float, Meta(gt=0, le=100, multiple_of=0.5)]


class Square(Struct, tag=True):
    sides: list[int]


class Node(Struct):
    """A node of a tree."""

    name: str
    children: "list[Node]" = []


class Input(Struct, forbid_unknown_fields=True):
    shape: Circle | Square
    color: Annotated[Color, Meta(title="Color", description="Of the shape")]
    size: Literal["small", 3, None] = "small"
    note: Annotated[str, Meta(max_length=2000, pattern="^[^<]*$")] | None = None
    is_filled: bool = False
    weights: dict[str, float] = {}
    pair: tuple[int, str] = (1, "a")
    children: list[Node] = []
    renamed: Node | None = field(name="x-node", default=None)


class Output(Struct):
    root: Node | None = None


def work(input: Input, context: Context) -> Output:
    return Output()


ODD = Kind("odd", "Do something odd", Input, Output, work, label="color")
