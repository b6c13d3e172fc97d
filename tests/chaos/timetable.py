"""Schedules that become due at random times."""

import random
import time

import httpx

from functions.common.schedule_store import ScheduleStore
from local.system import LocalSystem

SCHEDULES = 3
RARELY = "0 0 29 2 *"
"""So a schedule is only due when it is made due."""


class Timetable:
    """Schedules of countdowns. `ids` are those of the jobs that they must create."""

    def __init__(self, system: LocalSystem) -> None:
        self._dynamodb = system.emulator.client("dynamodb")
        self._store = ScheduleStore(self._dynamodb, system.outputs["JobsTable"])
        body = {"kind": "countdown", "input": {"seconds": 1}, "cron": RARELY}
        created = [
            httpx.post(f"{system.url}/api/schedules", json=body, timeout=20).raise_for_status().json()
            for _ in range(SCHEDULES)
        ]
        self._schedules: list[str] = [schedule["id"] for schedule in created]
        self.ids: set[str] = set()

    def close(self) -> None:
        self._dynamodb.close()

    def make_due(self, rng: random.Random) -> bool:
        """Let a schedule be due now. Return False if it already is."""
        now = round(time.time() * 1000)
        schedule = self._store.get(rng.choice(self._schedules))
        assert schedule is not None
        assert schedule.wake_at is not None
        if schedule.wake_at <= now or self._store.update(schedule, {"wake_at": now}) is None:
            return False
        self.ids.add(schedule.job_at(now, now).id)
        return True
