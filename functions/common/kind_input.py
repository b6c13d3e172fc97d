"""Check a request's kind and input against the kinds' declarations."""

import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import msgspec

from functions.common.api import printable
from functions.common.errors import Problem, invalid
from functions.common.job import MAX_JSON, parse_object
from functions.common.kind import Kind
from functions.common.observability import logger

MAX_BODY = 8 * MAX_JSON
"""Characters of a request with an input. Escaped, an input may be six times as long as it is stored."""
TYPES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
SIGNS = {">=": "of at least", "<=": "of at most", ">": "above", "<": "below"}
"""What people call the types and signs in msgspec's messages."""


def import_declarations(modules: Mapping[str, str]) -> dict[str, Kind]:
    """Import the declarations by their modules. If one cannot be imported, only its own kind is unknown."""
    declarations = {}
    for name, module in modules.items():
        try:
            declarations[name] = import_module(module).KIND
        except Exception:  # noqa: BLE001  # whatever a module does when it is imported
            logger.exception("kind not available", extra={"kind": name})
    return declarations


def find_kind(name: object, kinds: Mapping[str, Kind]) -> Kind:
    """Return a kind. Raises Problem 400 that lists the names of all."""
    kind = kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        raise invalid("kind", f"must be one of {', '.join(sorted(kinds))}")
    return kind


def parse_input(value: object, kind: Kind, path: str) -> dict[str, Any]:
    """Return the complete input, as it is stored. Raises Problem 400 that names the field, below `path`."""
    if not isinstance(value, dict):
        raise invalid(path, f"must be an object with the fields {', '.join(input_names(kind))}")
    for name in value:
        if name not in input_names(kind):
            fields = ", ".join(input_names(kind)) or "none"
            raise invalid(_below(path, printable(name)), f"is not a field; the fields are {fields}")
    try:
        text = msgspec.json.encode(msgspec.convert(value, kind.input)).decode()
        complete = parse_object(text)
    except msgspec.ValidationError as error:
        raise _invalid_input(str(error), kind, path) from None
    except (ValueError, OverflowError, RecursionError) as error:  # UnicodeEncodeError is a ValueError
        reason = "text that UTF-8 cannot encode" if isinstance(error, UnicodeError) else str(error)
        raise invalid(path or "body", f"cannot be stored: {reason}") from None
    if len(text.encode()) > MAX_JSON:
        raise invalid(path or "body", f"must be at most {MAX_JSON} bytes long as JSON")
    return complete


def input_names(kind: Kind) -> list[str]:
    """Return the names of the fields of a kind's input."""
    return [field.encode_name for field in msgspec.structs.fields(kind.input)]


def _invalid_input(error: str, kind: Kind, path: str) -> Problem:
    """Return the problem for a message of msgspec, such as "Expected `int`, got `str` - at `$.a[1].b`"."""
    message, _, location = error.partition(" - at `$")
    field = (path + location.rstrip("`")).lstrip(".")
    if missing := re.fullmatch(r"Object missing required field `(.*)`", message):
        return invalid(_below(field, missing[1]), "is required")
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", message):
        return invalid(_below(field, printable(unknown[1])), "is not a field")
    if message.startswith("Invalid enum value"):
        return invalid(field, f"must be one of {_choices(kind, field.rpartition('.')[2])}")
    if wrong := re.fullmatch(r"Expected `(.*?)`(.*?)(?:, got `.*`)?", message):
        types = " or ".join(TYPES.get(name, name) for name in wrong[1].split(" | "))
        bound = wrong[2].replace("of length", "with a length")
        for sign, words in SIGNS.items():
            bound = bound.replace(f" {sign} ", f" {words} ")
        return invalid(field, f"must be {types}{bound}")
    # the text of a ValueError of the declaration's own check, which may begin with the field's name
    name, _, rest = message.partition(" ")
    return (
        invalid(_below(field, name), rest) if name in input_names(kind) else invalid(field or "body", message)
    )


def _choices(kind: Kind, field: str) -> str:
    """Return the values that a field of the input may have, for an error."""
    (schema,), components = msgspec.json.schema_components([kind.input], ref_template="{name}")
    properties = components[schema["$ref"]]["properties"]
    declared = properties.get(field, {})
    declared = components.get(declared.get("$ref", ""), declared)
    return ", ".join(map(str, declared.get("enum", ["the values in GET /kinds"])))


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
