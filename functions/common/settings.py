"""Read typed settings from environment variables, once per process."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

T = TypeVar("T")


def load(kind: type[T], environment: Mapping[str, str]) -> T:
    """Build the dataclass `kind` from environment variables named like its fields, in upper case.

    Fields are `str` or `int`. Raises RuntimeError that names a variable that is missing or not a number.
    """
    values: dict[str, Any] = {}
    for field in fields(kind):  # type: ignore[arg-type]
        name = field.name.upper()
        if name not in environment:
            if field.default is MISSING:
                raise RuntimeError(f"environment variable {name} is not set")
            continue
        text = environment[name]
        if field.type is int:
            if not text.isdecimal():
                raise RuntimeError(f"environment variable {name} must be a whole number, not {text!r}")
            values[field.name] = int(text)
        else:
            values[field.name] = text
    return kind(**values)
