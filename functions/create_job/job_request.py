"""Parse the request for a new job, and check every field."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from functions.common.api import parse_json_object, printable
from functions.common.errors import FieldError, Problem, invalid
from functions.common.http.destinations import ANYWHERE_PUBLIC, Destinations, NotAllowed
from functions.common.job import MAX_JSON, PHOTO, parse_object, to_json
from functions.common.kind import Kind
from functions.common.queues import MAX_DELAY_SECONDS

MAX_BODY = 8 * MAX_JSON
"""Characters. Escaped, an input may be six times as long as it is stored."""
MAX_KEY = 200
KEY_HEADER = "Idempotency-Key"
MAX_LABEL = 80
MAX_URL = 2000
FIELDS = ("kind", "input", "delay_seconds", "notify")
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


@dataclass(frozen=True)
class JobRequest:
    """A valid request. The input is complete: it has the defaults, too. The work starts after the delay.

    `notify` is the URL to call when the job ends.

    `label` is what people recognize the job by: the value of the kind's label, shortened.
    """

    kind: str
    input: dict[str, Any]
    delay_seconds: int = 0
    label: str = ""
    notify: str | None = None

    @property
    def fingerprint(self) -> str:
        """Equal for requests with equal fields."""
        notify = [] if self.notify is None else [self.notify]  # as before there were webhooks
        fields = to_json([self.kind, self.input, self.delay_seconds, *notify])
        return hashlib.sha256(fields.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class JobEntry:
    """A valid request, and its idempotency key. `key_field` is where the request has the key."""

    request: JobRequest
    key: str | None
    key_field: str = "key"


def parse_job_request(
    body: str | None, kinds: Mapping[str, Kind], receivers: Destinations | None = ANYWHERE_PUBLIC
) -> JobRequest:
    """Parse the body of `POST /jobs`. Raises Problem 400 or 413."""
    if body is not None and len(body) > MAX_BODY:
        raise too_long(f"{MAX_BODY} characters")
    return parse_fields(parse_json_object(body), kinds, receivers)


def parse_fields(
    values: dict[str, Any], kinds: Mapping[str, Kind], receivers: Destinations | None
) -> JobRequest:
    """Check the fields of a request for a job. Every field is optional. Raises Problem 400.

    `receivers` says which URLs `notify` may be, or is None if this deployment has no webhooks.

    The input of a photo may also be at the top level, which is the form of the first contract.
    """
    kind = _kind(values.get("kind", PHOTO), kinds)
    top_level = {name: value for name, value in values.items() if name not in FIELDS}
    is_first_contract = kind.name == PHOTO and "input" not in values
    fields = (*FIELDS, *_names(kind)) if is_first_contract else FIELDS
    for name in top_level:
        if name not in fields:
            raise invalid(printable(name), f"is not a field; the fields are {', '.join(fields)}")
    if is_first_contract:
        job_input = parse_input(top_level, kind, path="")
    else:
        job_input = parse_input(values.get("input", {}), kind, path="input")
    label = str(job_input[kind.label])[:MAX_LABEL] if kind.label else ""
    delay = _delay(values.get("delay_seconds", 0))
    return JobRequest(kind.name, job_input, delay, label, _notify(values.get("notify"), receivers))


def parse_input(value: object, kind: Kind, path: str) -> dict[str, Any]:
    """Return the complete input, as it is stored. Raises Problem 400 that names the field, below `path`."""
    if not isinstance(value, dict):
        raise invalid(path, f"must be an object with the fields {', '.join(_names(kind))}")
    for name in value:
        if name not in _names(kind):
            fields = ", ".join(_names(kind)) or "none"
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


def parse_idempotency_key(key: object, field: str = KEY_HEADER) -> str | None:
    """Check an idempotency key, which the request has in `field`. Raises Problem 400."""
    if key is None:
        return None
    if not isinstance(key, str) or not 1 <= len(key) <= MAX_KEY or not (key.isascii() and key.isprintable()):
        raise invalid(field, f"must be 1 to {MAX_KEY} printable ASCII characters")
    return key


def too_long(limit: str) -> Problem:
    """Return the problem of a body that is longer than the limit."""
    message = f"must be at most {limit} long"
    return Problem(413, f"body: {message}", (FieldError("body", message),))


def _kind(name: object, kinds: Mapping[str, Kind]) -> Kind:
    kind = kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        raise invalid("kind", f"must be one of {', '.join(sorted(kinds))}")
    return kind


def _names(kind: Kind) -> list[str]:
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
    return invalid(_below(field, name), rest) if name in _names(kind) else invalid(field or "body", message)


def _choices(kind: Kind, field: str) -> str:
    """Return the values that a field of the input may have, for an error."""
    (schema,), components = msgspec.json.schema_components([kind.input], ref_template="{name}")
    properties = components[schema["$ref"]]["properties"]
    declared = properties.get(field, {})
    declared = components.get(declared.get("$ref", ""), declared)
    return ", ".join(map(str, declared.get("enum", ["the values in GET /kinds"])))


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _notify(url: object, receivers: Destinations | None) -> str | None:
    """Check a URL as far as it can be without resolving its name, which is done when it is called."""
    if url is None:
        return None
    if receivers is None:
        raise invalid("notify", "must be left out: this deployment has no webhooks (setting webhooks=false)")
    if not isinstance(url, str) or not 1 <= len(url) <= MAX_URL:
        raise invalid("notify", f"must be a URL of at most {MAX_URL} characters")
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        raise invalid("notify", "must be a URL without spaces; encode other characters")
    try:
        receivers.require_public(url)
    except NotAllowed as reason:
        message = f"must be an https URL of a public host, such as https://example.com/hook: {reason}"
        raise invalid("notify", message) from None
    if "@" in urlsplit(url).netloc:
        raise invalid("notify", "must not contain a user name or password; verify the signature instead")
    return url


def _delay(value: object) -> int:
    # bool is an int in Python, but not in JSON
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_DELAY_SECONDS:
        raise invalid("delay_seconds", f"must be a whole number from 0 to {MAX_DELAY_SECONDS}")
    return value
