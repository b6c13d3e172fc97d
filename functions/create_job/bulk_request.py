"""Parse the request for several new jobs. An invalid entry does not affect the others."""

from collections.abc import Mapping

from functions.common.api import parse_json_object, printable
from functions.common.errors import Problem, invalid
from functions.common.http.destinations import ANYWHERE_PUBLIC, Destinations
from functions.common.kind import Kind
from functions.create_job.job_request import JobEntry, parse_fields, parse_idempotency_key, too_long

MAX_BULK_BODY = 1024 * 1024
"""Bytes."""
MAX_ENTRIES = 100
"""Also the number of jobs that are read with one call."""


def parse_bulk_request(
    body: str | None, kinds: Mapping[str, Kind], receivers: Destinations | None = ANYWHERE_PUBLIC
) -> list[JobEntry | Problem]:
    """Parse the body of `POST /jobs/bulk`. Return each entry in order, or the problem that it has.

    Raises Problem 400 or 413 if the body as a whole is not valid.
    """
    if len((body or "").encode(errors="surrogatepass")) > MAX_BULK_BODY:
        raise too_long(f"{MAX_BULK_BODY} bytes")
    values = parse_json_object(body)
    for name in values:
        if name != "jobs":
            raise invalid(printable(name), "is not a field; the only field is jobs")
    entries = values.get("jobs")
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_ENTRIES:
        raise invalid("jobs", f"must be a list of 1 to {MAX_ENTRIES} jobs, each like the body of POST /jobs")
    return [_parse_entry(entry, kinds, receivers) for entry in entries]


def _parse_entry(
    entry: object, kinds: Mapping[str, Kind], receivers: Destinations | None
) -> JobEntry | Problem:
    try:
        if not isinstance(entry, dict):
            raise invalid("entry", "must be an object like the body of POST /jobs, with an optional key")
        fields = {name: value for name, value in entry.items() if name != "key"}
        if "key" in entry and entry["key"] is None:
            raise invalid("key", "must be text; leave it out for a job without a key")
        request = parse_fields(fields, kinds, receivers)
        return JobEntry(request, parse_idempotency_key(entry.get("key"), "key"))
    except Problem as problem:
        return problem
