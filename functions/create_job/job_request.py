"""Parse the request for a new job, and check every field."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from functions.common.api import parse_json_object, printable
from functions.common.errors import FieldError, Problem, invalid
from functions.common.http.destinations import ANYWHERE_PUBLIC, Destinations, NotAllowed
from functions.common.job import PHOTO, to_json
from functions.common.kind import Kind
from functions.common.kind_input import MAX_BODY, find_kind, input_names, parse_input

MAX_KEY = 200
KEY_HEADER = "Idempotency-Key"
MAX_LABEL = 80
MAX_URL = 2000
LONGEST_DELAY_SECONDS = 30 * 24 * 3600
"""A delay longer than SQS's is kept in the table: see wake.py."""
FIELDS = ("kind", "input", "delay_seconds", "notify")


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
    return parse_fields(parse_json_object(body, MAX_BODY), kinds, receivers)


def parse_fields(
    values: dict[str, Any], kinds: Mapping[str, Kind], receivers: Destinations | None
) -> JobRequest:
    """Check the fields of a request for a job. Every field is optional. Raises Problem 400.

    `receivers` says which URLs `notify` may be, or is None if this deployment has no webhooks.

    The input of a photo may also be at the top level, which is the form of the first contract.
    """
    kind = find_kind(values.get("kind", PHOTO), kinds)
    top_level = {name: value for name, value in values.items() if name not in FIELDS}
    is_first_contract = kind.name == PHOTO and "input" not in values
    fields = (*FIELDS, *input_names(kind)) if is_first_contract else FIELDS
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
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LONGEST_DELAY_SECONDS:
        raise invalid(
            "delay_seconds",
            f"must be a whole number of seconds from 0 to {LONGEST_DELAY_SECONDS}, which is 30 days",
        )
    return value
