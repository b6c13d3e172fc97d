"""What a client of `GET /live` asks for."""

from dataclasses import dataclass
from uuid import UUID

from functions.common.job import PUBLIC_OWNER
from functions.sse_relay.http.request import Refused, Request

MAX_JOBS = 100

PARAMETERS = ("job", "lastEventId")


@dataclass(frozen=True)
class Subscription:
    """Changes of these jobs (ids), or of all jobs from a cursor or, if that is empty, from now on.

    They are the jobs of `owner`, or of all owners if that is None. `expires_at` is when the client's token
    expires (epoch ms), or None without sign-in.
    """

    jobs: frozenset[str] | None = None
    cursor: str = ""
    owner: str | None = PUBLIC_OWNER
    expires_at: int | None = None


def parse_subscription(request: Request, parameters: tuple[str, ...] = PARAMETERS) -> Subscription:
    """Return what a request asks for, of public jobs. Raises Refused, also for an unknown parameter."""
    for name in request.query:
        if name not in parameters:
            shown = "".join(c if c.isascii() and c.isprintable() else "?" for c in name)[:40]
            *others, last = parameters
            choice = f"{', '.join(others)} or {last}"
            raise Refused(400, f"{shown}: is not a parameter; use {choice}", field=shown)
    cursor = request.headers.get("last-event-id") or request.query.get("lastEventId", [""])[0]
    return Subscription(parse_job_ids(request), cursor)


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
