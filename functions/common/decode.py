"""Check the types of values from outside: items, stream records, messages, lines."""

from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

MAX_INTEGER = 10**15
"""Larger than every time in milliseconds. DynamoDB accepts 38 digits, a float is exact up to 2^53."""


def conforms(value: Any, hint: Any) -> bool:
    """Return whether a value has the annotated type.

    `hint` is str, int, float, bool, None, a Literal, a TypedDict, a dict of anything, or a union of these.
    Text must be encodable as UTF-8, so that it can be stored and sent; a bool is not an int; an int is a
    float; a TypedDict may have further keys.
    """
    if get_origin(hint) in (Union, UnionType):
        return any(conforms(value, member) for member in get_args(hint))
    if get_origin(hint) is dict:
        return isinstance(value, dict)
    if get_origin(hint) is Literal:
        return isinstance(value, str) and value in get_args(hint)
    if is_typeddict(hint):
        return isinstance(value, dict) and all(
            name in value and conforms(value[name], member) for name, member in type_hints(hint).items()
        )
    if hint is str:
        return isinstance(value, str) and is_encodable(value)
    if hint is int:
        return type(value) is int and -MAX_INTEGER < value < MAX_INTEGER
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < MAX_INTEGER
    if hint is bool:
        return isinstance(value, bool)
    return hint in (None, NoneType) and value is None


_resolved = cache(get_type_hints)


def type_hints(annotated: Any) -> dict[str, Any]:
    """Return the resolved annotations of a class. Resolving them takes long, so the result is cached."""
    return _resolved(annotated)


def is_encodable(text: str) -> bool:
    """Return whether the text has no unpaired surrogates, which UTF-8 cannot encode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
