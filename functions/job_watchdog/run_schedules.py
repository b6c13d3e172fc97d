"""Run schedules that are due: create the job of the time, send its message, then move on to the next time.

The job's id is derived from the schedule and the time. So there is one job for that time, whatever is
interrupted and however many runs overlap: the next run finds the job, and continues from there.

The next time is the first one after now. So however many times were missed, one job makes up for all of them.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.clock import Clock
from functions.common.cron import InvalidCron, next_times
from functions.common.job import Job
from functions.common.messages import job_message, log_fields
from functions.common.observability import count, logger
from functions.common.queues import Queue
from functions.common.schedule import LastRun, Schedule
from functions.common.schedule_store import ScheduleStore
from functions.common.store import JobStore
from functions.common.wake import Waker, wake_up

MAX_PARALLEL = 10
"""botocore keeps ten connections."""


@dataclass(frozen=True)
class ScheduleRunner:
    """`queues` are those of the wake-ups by kind. `grace` is how many seconds a kind may be missing."""

    jobs: JobStore
    schedules: ScheduleStore
    queues: Mapping[str, Queue]
    grace: int
    clock: Clock
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(MAX_PARALLEL))

    def run(self, schedule_ids: list[str]) -> None:
        """Run those of up to 100 schedules that are due. Raises botocore's errors if none can be read.

        What fails is tried again in the next run.
        """
        now = self.clock()
        due = [
            schedule
            for schedule in self.schedules.get_many(schedule_ids)
            if schedule.wake_at is not None and schedule.wake_at <= now
        ]
        count("JobsScheduled", sum(self._pool.map(self._try_run, due)))

    def _try_run(self, schedule: Schedule) -> bool:
        """Return whether a job was created. One schedule must not affect the others."""
        try:
            return self._run(schedule, schedule.wake_at or 0)
        except (BotoCoreError, ClientError) as error:
            logger.error("schedule not run", extra=_log_fields(schedule, reason=str(error)))
        except Exception:  # noqa: BLE001  # also one that is damaged by the time of its update
            logger.exception("schedule failed unexpectedly", extra=_log_fields(schedule))
        return False

    def _run(self, schedule: Schedule, time: int) -> bool:
        now = self.clock()
        if schedule.kind not in self.queues:
            if time <= now - 1000 * self.grace:  # until then it may be of a kind that is just being deployed
                self._pause(schedule, f"there are no jobs of kind {schedule.kind} any more")
            return False
        job = schedule.job_at(time, now)
        is_new = self.jobs.create(job)
        if is_new:
            self.queues[job.kind].send(wake_up(job, now).body)
            logger.info("job created by schedule", extra=log_fields(job_message(job), schedule=schedule.id))
        elif not self._wake_existing(job):
            return False
        self._advance(schedule, LastRun(at=time, job=job.id))
        return is_new

    def _wake_existing(self, job: Job) -> bool:
        """Wake a job that an interrupted run has created, unless it has been. Return False if that fails."""
        existing = self.jobs.get_many([job.id]).get(job.id)
        waker = Waker(self.jobs, self.queues[job.kind], self.clock)
        return existing is None or not waker.may_wake(existing) or bool(waker.wake([existing]))

    def _advance(self, schedule: Schedule, last_run: LastRun) -> None:
        try:
            times = next_times(schedule.cron, schedule.timezone, self.clock(), 1)
        except InvalidCron as reason:
            self._pause(
                schedule, f"cron or time zone cannot be used any more: it {reason}", last_run=last_run
            )
            return
        if times:
            self._update(schedule, {"wake_at": times[0], "last_run": last_run})
        else:
            self._pause(schedule, "the expression has no further time", last_run=last_run)

    def _pause(self, schedule: Schedule, reason: str, **values: Any) -> None:
        paused = {"paused": True, "pause_reason": reason, "wake_at": None, "updated_at": self.clock()}
        self._update(schedule, paused | values)
        logger.error("schedule paused", extra=_log_fields(schedule, reason=reason))

    def _update(self, schedule: Schedule, values: dict[str, Any]) -> None:
        if self.schedules.update(schedule, values) is None:
            logger.info("schedule changed in the meantime", extra=_log_fields(schedule))


def _log_fields(schedule: Schedule, **extra: object) -> dict[str, object]:
    return {"schedule": schedule.id, "kind": schedule.kind, **extra}
