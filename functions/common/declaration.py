"""Checks of a kind's declaration. Each raises ValueError with a message that begins with the field's name."""

from collections.abc import Sequence
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction, signature

import msgspec


def check_work(work: object, *, is_batch: bool) -> None:
    """Check that it can be called with two arguments and returns its outcome."""
    require(callable(work), "work", "must be a function")
    try:
        signature(work).bind(None, None)  # type: ignore[arg-type]
    except TypeError as error:
        raise ValueError("work must accept two arguments: the input, or the jobs, and the context") from error
    require(not isasyncgenfunction(work) and not iscoroutinefunction(work), "work", "must not be async")
    require(
        is_batch or not isgeneratorfunction(work), "work", "must return its output unless batch is above 1"
    )


def check_struct(name: str, struct: object) -> None:
    """Check that it is an object in JSON, has a JSON Schema, and accepts its own defaults."""
    is_struct = isinstance(struct, type) and issubclass(struct, msgspec.Struct)
    require(is_struct, name, "must be a subclass of msgspec.Struct")
    require(not struct.__struct_config__.array_like, name, "must not be array_like")  # type: ignore[attr-defined]
    try:
        msgspec.json.schema(struct)
        fields = msgspec.structs.fields(struct)  # type: ignore[arg-type]
    except (TypeError, ValueError, NameError) as error:
        raise ValueError(f"{name} cannot be read from JSON: {error}") from error
    for field in fields:
        try:
            default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
            if default is not msgspec.NODEFAULT:
                msgspec.convert(msgspec.to_builtins(default), field.type)
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            message = f"{name}.{field.encode_name} has a default that it would refuse: {error}"
            raise ValueError(message) from error
    if not any(field.required for field in fields):  # __post_init__ checks, too
        try:
            msgspec.convert({}, struct)
        except msgspec.ValidationError as error:
            raise ValueError(f"{name} would refuse its own defaults: {error}") from error


def require_different(name: str, names: Sequence[str]) -> None:
    """Check that no name is in the list twice."""
    require(len(set(names)) == len(names), name, "must have different names")


def require_range(name: str, value: object, lowest: int, highest: int) -> None:
    """Check that it is a whole number in this range."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    require(is_whole and lowest <= value <= highest, name, f"must be from {lowest} to {highest}")  # type: ignore[operator]


def require(valid: object, name: str, message: str) -> None:
    """Raise ValueError if the value of a field is not valid."""
    if not valid:
        raise ValueError(f"{name} {message}")
