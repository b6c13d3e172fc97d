"""Create, list, change and delete schedules on behalf of a caller."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from functions.common.caller import caller_of
from functions.common.clock import Clock
from functions.common.cron import InvalidCron, next_times
from functions.common.errors import Problem, WriteConflict, invalid
from functions.common.identity import Identity
from functions.common.kind import Kind
from functions.common.kind_input import find_kind, parse_input
from functions.common.observability import logger
from functions.common.schedule import Schedule
from functions.common.schedule_store import MAX_SCHEDULES, ScheduleStore, TooManySchedules
from functions.schedules.schedule_request import ScheduleRequest, no_such_schedule

SHOWN_TIMES = 10
MAX_ATTEMPTS = 5


@dataclass(frozen=True)
class Schedules:
    """`kinds` are the declarations by name. `salt` is that of the digests of callers' addresses."""

    store: ScheduleStore
    kinds: Mapping[str, Kind]
    clock: Clock
    salt: str

    def create(self, request: ScheduleRequest, owner: str, address: str) -> dict[str, Any]:
        """Create a schedule and return it as callers see it. Raises Problem 400, 409 or 503."""
        now = self.clock()
        schedule = Schedule(
            id=str(uuid4()),
            owner=owner,
            caller=caller_of(owner, address, self.salt),
            created_at=now,
            updated_at=now,
            wake_at=None if request.paused else next_times(request.cron, request.timezone, now, 1)[0],
            **vars(request),
        )
        try:
            self.store.create(schedule)
        except TooManySchedules:
            raise Problem(
                409, f"there are {MAX_SCHEDULES} schedules already; delete one before you create another"
            ) from None
        except WriteConflict as conflict:
            raise _too_many_writers() from conflict
        logger.info("schedule created", extra={"schedule": schedule.id, "kind": schedule.kind})
        return self._view(schedule)

    def list_all(self, owner: str) -> list[dict[str, Any]]:
        """Return an owner's schedules, the newest first."""
        return [self._view(schedule) for schedule in self.store.get_all(owner)]

    def get(self, schedule_id: str, identity: Identity) -> dict[str, Any]:
        """Return a caller's schedule. Raises Damaged, or Problem 404."""
        return self._view(self._find(schedule_id, identity))

    def change(self, schedule_id: str, values: dict[str, Any], identity: Identity) -> dict[str, Any]:
        """Change fields of a caller's schedule and return it. Raises Damaged, or Problem 400, 404 or 503."""
        for _ in range(MAX_ATTEMPTS):
            schedule = self._find(schedule_id, identity)
            changed = self.store.update(schedule, self._new_values(schedule, values))
            if changed is not None:
                fields = {"schedule": schedule_id, "fields": sorted(values), **_operator(identity)}
                logger.info("schedule changed", extra=fields)
                return self._view(changed)
        raise _too_many_writers()

    def delete(self, schedule_id: str, identity: Identity) -> None:
        """Delete a caller's schedule. The jobs that it has created remain. Raises Problem 404 or 503."""
        try:
            deleted = self.store.delete(schedule_id, identity.only_owner)
        except WriteConflict as conflict:
            raise _too_many_writers() from conflict
        if not deleted:
            raise no_such_schedule(schedule_id)
        logger.info("schedule deleted", extra={"schedule": schedule_id, **_operator(identity)})

    def _new_values(self, schedule: Schedule, values: dict[str, Any]) -> dict[str, Any]:
        """Return the fields to write. Raises Problem 400.

        A time that has come, but has not been run yet, is not lost by a change of the expression.
        """
        now = self.clock()
        new: dict[str, Any] = {**values, "updated_at": now}
        if "input" in values:
            new["input"] = parse_input(values["input"], self._kind_of(schedule), path="input")
        paused = values.get("paused", schedule.paused)
        cron, timezone = (values.get(name, getattr(schedule, name)) for name in ("cron", "timezone"))
        if paused:
            new |= {"wake_at": None}
        elif schedule.wake_at is None or schedule.wake_at > now:
            try:
                new |= {"wake_at": next_times(cron, timezone, now, 1)[0]}
            except (InvalidCron, IndexError):  # valid when the schedule was created, but not any more
                raise invalid("cron", "has no further time; send another cron and timezone") from None
        if "paused" in values:
            new["pause_reason"] = None
            if not paused:
                self._kind_of(schedule)
        return new

    def _kind_of(self, schedule: Schedule) -> Kind:
        return find_kind(schedule.kind, self.kinds)

    def _find(self, schedule_id: str, identity: Identity) -> Schedule:
        schedule = self.store.get(schedule_id, identity.only_owner)
        if schedule is None:
            raise no_such_schedule(schedule_id)
        return schedule

    def _view(self, schedule: Schedule) -> dict[str, Any]:
        try:
            times = next_times(schedule.cron, schedule.timezone, self.clock(), SHOWN_TIMES)
        except InvalidCron:  # the watchdog will pause it, and give the reason
            times = []
        return schedule.public_view([] if schedule.paused else times)


def _too_many_writers() -> Problem:
    return Problem(503, "other requests change the same schedules; try again", headers={"Retry-After": "1"})


def _operator(identity: Identity) -> dict[str, str]:
    """Return which operator changes a schedule, for logs."""
    return {"operator": identity.subject} if identity.is_operator else {}
