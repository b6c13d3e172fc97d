"""A faulty declaration is refused where it is made, with the field and the reason."""

import enum
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct, field

from functions.common.kind import Budget, Kind


class Input(Struct, frozen=True):
    text: Annotated[str, Meta(max_length=3)]


class Output(Struct, frozen=True):
    words: int


def work(_: Input, __: object) -> Output:
    return Output(1)


KIND = Kind("count", "Count", Input, Output, work)
CALLS = Budget("calls", limit=5, seconds=60)


def changed(**values: Any) -> Kind:
    return replace(KIND, **values)


def test_a_declaration_may_be_short() -> None:
    values = {name: getattr(KIND, name) for name in KIND.__dataclass_fields__ if name != "_"}
    assert values == {
        "name": "count", "title": "Count", "input": Input, "output": Output, "work": work,
        "batch": 1, "attempts": 3, "retry_seconds": 10, "timeout": 60, "memory": 512, "concurrency": 10,
        "budgets": (), "secrets": (), "stores_files": False, "label": None,
    }  # fmt: skip
    assert KIND.description == __doc__


@pytest.mark.parametrize(
    ("name", "values"),
    {
        "batch": (1, 100),
        "attempts": (1, 20),
        "retry_seconds": (1, 900),
        "timeout": (1, 880),
        "memory": (128, 10_240),
        "concurrency": (2, 1000),
    }.items(),
)
def test_numbers_have_bounds(name: str, values: tuple[int, int]) -> None:
    lowest, highest = values
    for valid in values:
        changed(**{name: valid})
    for invalid in (lowest - 1, highest + 1, -1, 2.5, "5", True, None):
        with pytest.raises(ValueError, match=f"^{name} must be from {lowest} to {highest}$"):
            changed(**{name: invalid})


INVALID_NAMES = [
    "",
    "Count",
    "1count",
    "_count",
    "count-words",
    "count words",
    "x" * 33,
    "count\n",
    "é",
    None,
    5,
]


@pytest.mark.parametrize("name", INVALID_NAMES)
def test_an_invalid_name_is_refused(name: Any) -> None:
    with pytest.raises(ValueError, match=r"^name must match"):
        changed(name=name)
    with pytest.raises(ValueError, match=r"^the budget's name must match"):
        Budget(name, 1, 1)
    with pytest.raises(ValueError, match=r"^secrets must be a tuple of names"):
        changed(secrets=(name,))


@pytest.mark.parametrize("name", ["a", "count_2", "x" * 32])
def test_a_valid_name_is_accepted(name: str) -> None:
    assert changed(name=name, secrets=(name,), budgets=(Budget(name, 1, 1),)).name == name


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"title": ""}, "title must be a text"),
        ({"title": "  "}, "title must be a text"),
        ({"title": None}, "title must be a text"),
        ({"budgets": [CALLS]}, "budgets must be a tuple of Budgets"),
        ({"budgets": CALLS}, "budgets must be a tuple of Budgets"),
        ({"budgets": ("calls",)}, "budgets must be a tuple of Budgets"),
        ({"budgets": (CALLS, replace(CALLS, limit=6))}, "budgets must have different names"),
        ({"secrets": ["key"]}, "secrets must be a tuple of names"),
        ({"secrets": "key"}, "secrets must be a tuple of names"),
        ({"secrets": ("key", "key")}, "secrets must have different names"),
        ({"label": "texts"}, "label must be a field of the input"),
        ({"label": "words"}, "label must be a field of the input"),
        ({"input": dict}, "input must be a subclass of msgspec.Struct"),
        ({"input": Input("a")}, "input must be a subclass of msgspec.Struct"),
        ({"output": str}, "output must be a subclass of msgspec.Struct"),
    ],
)
def test_other_invalid_values_are_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        changed(**change)


@pytest.mark.parametrize(
    ("limit", "seconds"), [(0, 1), (-1, 1), (1, 0), (True, 1), (1, 1.5), ("5", 1), (1, 31 * 24 * 3600 + 1)]
)
def test_an_invalid_budget_is_refused(limit: Any, seconds: Any) -> None:
    with pytest.raises(ValueError, match=r"of budget calls must be from 1 to"):
        Budget("calls", limit, seconds)


def one_argument(_: Input) -> Output:
    return Output(1)


def three_arguments(_: Input, __: object, ___: object) -> Output:
    return Output(1)


async def later(_: Input, __: object) -> Output:
    return Output(1)


async def later_and_later(_: Input, __: object) -> Any:
    yield Output(1)


def one_by_one(_: Any, __: object) -> Iterator[Output]:
    yield Output(1)


@pytest.mark.parametrize(
    ("faulty", "reason"),
    [
        (None, "must be a function"),
        ("work", "must be a function"),
        (one_argument, "must accept two arguments"),
        (three_arguments, "must accept two arguments"),
        (later, "must not be async"),
        (later_and_later, "must not be async"),
        (one_by_one, "must return its output unless batch is above 1"),
    ],
)
def test_work_that_cannot_be_run_is_refused(faulty: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^work {reason}"):
        changed(work=faulty)


def test_the_work_of_a_batch_may_yield() -> None:
    assert changed(work=one_by_one, batch=2).batch == 2


class Color(enum.Enum):
    RED = "red"


class Inner(Struct, frozen=True):
    size: Annotated[int, Meta(ge=1)] = 1


class Checked(Struct):
    text: str = " "

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("must not be blank")


def struct_of(hint: Any, default: Any) -> type[Struct]:
    return type("Faulty", (Struct,), {"__annotations__": {"value": hint}, "value": default})


@pytest.mark.parametrize(
    ("hint", "default"),
    [
        (Annotated[int, Meta(le=5)], 6),
        (Annotated[int, Meta(ge=1)], True),
        (Annotated[str, Meta(min_length=1)], ""),
        (Annotated[str, Meta(pattern="^a")], "b"),
        (int, 1.5),
        (int, "1"),
        (str, None),
        (Color, "blue"),
        (Inner, Inner(0)),
        (list[Inner], field(default_factory=lambda: [Inner(0)])),
        (dict[str, int], field(default_factory=lambda: {"a": "b"})),
        (Checked, field(default_factory=Checked)),
    ],
)
@pytest.mark.parametrize("name", ["input", "output"])
def test_a_default_that_its_own_declaration_refuses_is_refused(name: str, hint: Any, default: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name}.value has a default that it would refuse"):
        changed(**{name: struct_of(hint, default)})


@pytest.mark.parametrize(
    ("hint", "default"),
    [
        (Annotated[int, Meta(le=5)], 5),
        (int | None, None),
        (Color, Color.RED),
        (Inner, Inner(2)),
        (list[Inner], []),
        (float, 1),
        (Checked, field(default_factory=lambda: Checked("a"))),
    ],
)
def test_a_valid_default_is_accepted(hint: Any, default: Any) -> None:
    assert changed(input=struct_of(hint, default), label="value").label == "value"


def test_defaults_that_only_a_check_of_all_fields_refuses_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^input would refuse its own defaults: must not be blank"):
        changed(input=Checked)


class NotJson(Struct):
    value: object = None
    callback: type[int] = int


class Unknown(Struct):
    value: "Missing"  # type: ignore[name-defined]  # noqa: F821


class Array(Struct, array_like=True):
    text: str = ""


@pytest.mark.parametrize(
    ("struct", "reason"),
    [
        (NotJson, "cannot be read from JSON"),
        (Unknown, "cannot be read from JSON"),
        (Array, "must not be array_like"),
    ],
)
@pytest.mark.parametrize("name", ["input", "output"])
def test_a_struct_that_is_not_an_object_in_json_is_refused(
    name: str, struct: type[Struct], reason: str
) -> None:
    with pytest.raises(ValueError, match=f"^{name} {reason}"):
        changed(**{name: struct})


class Renamed(Struct, rename="camel"):
    first_name: str = ""


def test_the_label_is_the_name_in_json() -> None:
    assert changed(input=Renamed, label="firstName").label == "firstName"
    with pytest.raises(ValueError, match="label"):
        changed(input=Renamed, label="first_name")
