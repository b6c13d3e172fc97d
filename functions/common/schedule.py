"""The schedule, which creates a job at each time of a cron expression: its fields and its forms.

Schedules are in the jobs table, because the watchdog finds them and the jobs by the same index. Their ids
there begin with `schedule#`, so that nothing takes them for jobs.
"""

from dataclasses import asdict, dataclass
from typing import Any, TypedDict
from uuid import UUID, uuid5

from functions.common.attributes import Item, to_item
from functions.common.errors import Damaged
from functions.common.job import Job, decode_item, due_shard, to_json

PREFIX = "schedule#"
TICKS = UUID("0f6a1d6e-5b1c-4f5e-9a35-7a1d5c2f40c3")
"""Namespace of the ids of the jobs that schedules create. No idempotency key of a caller leads into it."""
PUBLIC_FIELDS = (
    "id", "kind", "input", "cron", "timezone", "paused", "pause_reason", "next", "last_run",
    "created_at", "updated_at",
)  # fmt: skip
"""The fields of a schedule in the API's contract, in their order."""


class LastRun(TypedDict):
    """The time of the expression for which a schedule last created a job (epoch ms), and the job's id."""

    at: int
    job: str


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """One schedule. Times are epoch ms. `id` is a UUID.

    `wake_at` is the next time at which it creates a job, None while it is paused. `pause_reason` says why the
    watchdog has paused it. `caller` is who its jobs are charged to. Every write increments `version`, and is
    made on the condition that it still has the value that was read.
    """

    id: str
    owner: str
    kind: str
    input: dict[str, Any]
    cron: str
    timezone: str
    created_at: int
    updated_at: int
    caller: str
    paused: bool = False
    pause_reason: str | None = None
    wake_at: int | None = None
    last_run: LastRun | None = None
    version: int = 1

    def job_at(self, time: int, now: int) -> Job:
        """Return the job for one time of the expression. It always has the same id."""
        return Job(
            id=str(uuid5(TICKS, f"{self.id}/{time}")),
            owner=self.owner,
            kind=self.kind,
            input=self.input,
            caller=self.caller,
            created_at=now,
            updated_at=now,
            due_at=now,
            wake_at=now,
        )

    def public_view(self, next_times: list[int]) -> dict[str, Any]:
        """Return the schedule as the API's contract defines it."""
        values = {**vars(self), "next": next_times}
        return {name: values[name] for name in PUBLIC_FIELDS}

    def to_item(self) -> Item:
        """Return the table's item."""
        keys = {"id": item_id(self.id), **due_keys(self.id, self.wake_at)}
        return to_item({**asdict(self), "input": to_json(self.input), **keys})

    @classmethod
    def from_item(cls, item: Item) -> "Schedule":
        """Return the schedule of an item. Raises Damaged."""
        table_id = item.get("id", {}).get("S", "")
        if not is_schedule(table_id):
            raise Damaged(f"not a schedule: {table_id}")
        return decode_item(cls, {**item, "id": {"S": table_id.removeprefix(PREFIX)}}, texts=("input",))


def is_schedule(table_id: str) -> bool:
    """Return whether an item with this id is a schedule."""
    return table_id.startswith(PREFIX)


def item_id(schedule_id: str) -> str:
    """Return the id of a schedule's item."""
    return f"{PREFIX}{schedule_id}"


def due_keys(schedule_id: str, wake_at: int | None) -> dict[str, Any]:
    """Return the attributes by which the watchdog finds a schedule. A paused one has neither."""
    shard = None if wake_at is None else due_shard(item_id(schedule_id), parked=True)
    return {"wake_at": wake_at, "due_shard": shard}
