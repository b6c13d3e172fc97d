"""Parse what people type: `field=value` pairs, and lengths of time."""

import json
import re
from collections.abc import Iterable
from typing import Any

from calo.errors import CommandError

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 24 * 3600}
MAX_DELAY = 30 * 24 * 3600


def schema_of(name: str, kinds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the JSON Schema of a kind's input. Raises CommandError that lists the kinds."""
    schemas: dict[str, dict[str, Any]] = {kind["name"]: kind["input"] for kind in kinds}
    if name not in schemas:
        raise CommandError(f"{name!r} is not a kind; the kinds are: {', '.join(sorted(schemas))}")
    return schemas[name]


def parse_fields(pairs: Iterable[str], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the input that `field=value` pairs describe. `field:=value` always takes JSON.

    `schema` is the kind's JSON Schema: the values of its text fields are taken as they are, others are JSON
    if they can be. Raises CommandError.
    """
    fields: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        is_json = name.endswith(":")
        name = name.removesuffix(":")
        if not equals or not name:
            raise CommandError(f"must be field=value, not {pair!r}")
        if name in fields:
            raise CommandError(f"{name} is given twice")
        fields[name] = _value(name, text, is_json=is_json, is_text=_is_text(schema, name))
    return fields


def _value(name: str, text: str, *, is_json: bool, is_text: bool) -> Any:
    if is_text and not is_json:
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        if is_json:
            raise CommandError(f"{name}: must be JSON: {error}") from None
        return text


def _is_text(schema: dict[str, Any], name: str) -> bool:
    field = schema.get("properties", {}).get(name, {})
    types = [field, *field.get("anyOf", ()), *field.get("oneOf", ())]
    return any(each.get("type") == "string" or "enum" in each or "$ref" in each for each in types)


def parse_delay(text: str) -> int:
    """Return the seconds of a delay such as `90`, `10m`, `2h` or `3d`. Raises CommandError."""
    match = re.fullmatch(r"([0-9]{1,9})([smhd]?)", text)
    seconds = int(match[1]) * UNITS[match[2]] if match else -1
    if not 0 <= seconds <= MAX_DELAY:
        raise CommandError(f"--delay must be like 90, 10m, 2h or 3d, up to 30 days, not {text!r}")
    return seconds
