"""What a client of `GET /live` asks for."""

from uuid import UUID

from functions.sse_relay.http.request import Refused, Request

MAX_JOBS = 100

PARAMETERS = ("job", "lastEventId")


def parse_subscription(request: Request) -> tuple[frozenset[str] | None, str]:
    """Return the requested jobs, and the cursor or "". Raises Refused, also for an unknown parameter."""
    for name in request.query:
        if name not in PARAMETERS:
            shown = "".join(c if c.isascii() and c.isprintable() else "?" for c in name)[:40]
            raise Refused(400, f"{shown}: is not a parameter; use {' or '.join(PARAMETERS)}", field=shown)
    cursor = request.headers.get("last-event-id") or request.query.get("lastEventId", [""])[0]
    return parse_job_ids(request), cursor


def parse_job_ids(request: Request) -> frozenset[str] | None:
    """Return the ids in `job=` (repeated or comma-separated), or None without `job`. Raises Refused."""
    if "job" not in request.query:
        return None
    texts = [text for value in request.query["job"] for text in value.split(",") if text]
    if not 1 <= len(texts) <= MAX_JOBS:
        raise Refused(400, f"job: must name 1 to {MAX_JOBS} jobs", field="job")
    try:
        return frozenset(str(UUID(text)) for text in texts)
    except ValueError as error:
        raise Refused(400, "job: must be UUIDs, separated by commas", field="job") from error
