"""Create a ticket for a live stream of the caller's jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from functions.common.api import parse_json_object, printable
from functions.common.clock import Clock
from functions.common.errors import invalid
from functions.common.identity import Identity
from functions.common.tickets import TICKET_SECONDS, Ticket, TicketKeys

MAX_JOBS = 100
FIELD = "jobs"


@dataclass(frozen=True)
class TicketOffice:
    """Signs tickets."""

    keys: TicketKeys
    clock: Clock

    def create_ticket(self, identity: Identity, jobs: Sequence[str] | None) -> dict[str, Any]:
        """Return the ticket as the API's contract defines it. Raises botocore's errors without a key.

        The ticket is valid for a minute, but not longer than the caller's token. Nothing tells whether the
        jobs exist: a stream only shows those that the caller may see.
        """
        expires_at = self.clock() + TICKET_SECONDS * 1000
        if identity.expires_at is not None:
            expires_at = min(expires_at, identity.expires_at)
        ticket = Ticket(identity.owner, identity.is_operator, jobs, expires_at, identity.expires_at)
        return {"ticket": ticket.sign(self.keys.newest()), "expires_at": expires_at}


def parse_ticket_request(body: str | None) -> list[str] | None:
    """Return the ids of the jobs that the ticket is for, or None for all jobs. Raises Problem 400."""
    values = parse_json_object(body)
    for name in values:
        if name != FIELD:
            raise invalid(printable(name), f"is not a field; the only field is {FIELD}")
    jobs = values.get(FIELD)
    if FIELD not in values:
        return None
    if not isinstance(jobs, list) or not 1 <= len(jobs) <= MAX_JOBS:
        raise invalid(FIELD, f"must be a list of 1 to {MAX_JOBS} jobs' ids")
    return [_parse_id(index, text) for index, text in enumerate(jobs)]


def _parse_id(index: int, text: object) -> str:
    try:
        parsed = str(UUID(text)) if isinstance(text, str) else ""
    except ValueError:
        parsed = ""
    if not parsed or parsed != str(text).lower():
        raise invalid(f"{FIELD}[{index}]", "must be a UUID like 123e4567-e89b-12d3-a456-426614174000")
    return parsed
