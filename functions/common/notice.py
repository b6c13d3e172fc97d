"""Notices: the messages about jobs that have ended, whose webhooks must be called.

A notice contains the job as it has ended, because the table may have a newer state when the webhook is called
at last. The first notice of an ending is the record of the jobs table's stream, as the topic delivers it.
Everything later, such as the next attempt, is a notice that we send ourselves.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from functions.common.decode import conforms
from functions.common.errors import Damaged, Poison
from functions.common.job import Job, to_json

ENDS = ("resolved", "error", "cancelled")


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A request to call the webhook of a job that has ended. Times are epoch ms.

    `requested` counts how often the delivery was requested again, `attempts` how often it was tried since.
    `due_at` is when the next attempt may start, `since` when the first one might have, or 0 if that is not
    known yet.
    """

    job: Job
    requested: int = 0
    attempts: int = 0
    due_at: int
    since: int

    @property
    def turn(self) -> str:
        """Return what orders the notices of a job: the later the ending or the request, the greater.

        A job can be created again after it expired, with the same id: its idempotency key determines the id.
        """
        return turn_of(self.job, self.requested)

    @property
    def webhook_id(self) -> str:
        """Return what receivers recognize a repeated delivery by. It is the same for each of an ending."""
        return f"msg_{self.job.id}_{self.job.created_at}_{self.job.run}"

    @property
    def payload(self) -> str:
        """Return the body for the receiver, which is the same in every attempt."""
        ended_at = datetime.fromtimestamp(self.job.updated_at / 1000, UTC)
        return to_json(
            {
                "type": f"job.{self.job.status}",
                "timestamp": ended_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "data": self.job.public_view(),
            }
        )

    def body(self) -> str:
        """Return the message's body. It is ASCII only, because SQS refuses some Unicode characters."""
        own = {name: getattr(self, name) for name in OWN}
        return json.dumps({"job": self.job.to_item(), **own}, separators=(",", ":"))


OWN = ("requested", "attempts", "due_at", "since")
"""The fields of a notice beside its job."""


def turn_of(job: Job, requested: int) -> str:
    """Return the turn of the notice with this number of requests."""
    return f"{job.created_at:013d}#{job.run:06d}#{requested:06d}"


def parse_notice(body: str) -> Notice | None:
    """Return the notice in a message, or None if it is the record of a change that needs none.

    Raises Poison if it is neither.
    """
    try:
        message = json.loads(body)
        return _parse_record(message["dynamodb"]) if "dynamodb" in message else _parse_own(message)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, Damaged) as error:
        raise Poison(f"not a notice: {error!r}") from error


def _parse_record(change: dict[str, Any]) -> Notice | None:
    """The subscription has this filter, too. The queue's messages must not depend on it."""
    if "OldImage" not in change or "NewImage" not in change:
        return None
    if change["OldImage"]["status"]["S"] != "pending" or change["NewImage"]["status"]["S"] not in ENDS:
        return None
    job = Job.from_item(change["NewImage"])
    return Notice(job=job, due_at=0, since=job.updated_at) if job.notify else None


def _parse_own(message: dict[str, Any]) -> Notice:
    own = {name: message[name] for name in OWN}
    job = Job.from_item(message["job"])
    if not all(conforms(value, int) for value in own.values()) or not job.notify or job.status not in ENDS:
        raise ValueError("a field is not valid")
    return Notice(job=job, **own)
