"""What must hold for schedules after every run: one job for each time, neither two nor none."""

from functions.common.cron import next_times
from functions.common.job import Job
from functions.common.schedule import Schedule
from tests.simulation.callers import Callers
from tests.simulation.system import ScheduleChange, System

LATE_MS = 4 * 60_000
"""How late a job of a schedule may be: the watchdog runs every minute, and two of its runs may fail."""


def schedule_breaches(system: System, callers: Callers, jobs: dict[str, Job]) -> list[str]:
    """Return a description of each guarantee that was broken."""
    problems: list[str] = []
    expected: set[str] = set()
    for name, changes in system.schedules.items():
        problems += [
            f"{name}: {problem}" for change in changes for problem in _problems(change, system, jobs)
        ]
        expected |= _times(changes, jobs)
        runs = {
            (run["at"], run["job"]) for change in changes if change.after and (run := change.after.last_run)
        }
        if len({job for _, job in runs}) < len(runs):
            problems.append(f"{name}: several times have the same job: {sorted(runs)}")
    for job in jobs.values():
        if job.id not in callers.answers.accepted and not _was_posted(job) and job.id not in expected:
            problems.append(f"the job {job.id} is of no time of a schedule")
    return problems


def _was_posted(job: Job) -> bool:
    """Return whether it was created by a request: those of schedules have no correlation id."""
    return bool(job.correlation_id)


def _times(changes: list[ScheduleChange], jobs: dict[str, Job]) -> set[str]:
    """Return the ids of the jobs for the times at which the schedule was due."""
    schedules = [change.after for change in changes if change.after and change.after.wake_at is not None]
    return {_job_id(schedule) for schedule in schedules} & set(jobs)


def _job_id(schedule: Schedule) -> str:
    return schedule.job_at(schedule.wake_at or 0, 0).id


def _problems(change: ScheduleChange, system: System, jobs: dict[str, Job]) -> list[str]:
    """Check one write of a schedule."""
    before, after = change.before, change.after
    if after is not None and after.paused != (after.wake_at is None):
        return [f"paused is {after.paused}, but its next time is {after.wake_at}"]
    if before is None or before.wake_at is None:
        return []
    was_due = before.wake_at <= change.at - system.skew
    if after is None or after.wake_at is None:
        in_time = before.wake_at > change.at - LATE_MS - system.skew
        return [] if in_time else [f"its time {before.wake_at} passed without a job"]
    if after.last_run == before.last_run:  # a caller's change
        return ["a time that had come was lost"] if was_due and after.wake_at != before.wake_at else []
    problems = []
    job = jobs.get(_job_id(before))
    if job is None:
        problems.append(f"its time {before.wake_at} has no job")
    elif (job.owner, job.kind) != (before.owner, before.kind):
        problems.append(f"the job {job.id} is not what it asked for")
    if after.wake_at <= change.at - system.skew - 1000:
        problems.append(f"its next time {after.wake_at} had been missed, too")
    first = next_times(after.cron, after.timezone, before.wake_at, 1)[0]
    missed_none = first > change.at + system.skew
    if missed_none and after.wake_at > first:
        problems.append(f"its time {first} was skipped")
    return problems
