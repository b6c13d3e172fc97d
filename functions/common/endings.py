"""What a function tells of the jobs that it has ended: log fields and metrics."""

from collections import Counter

from functions.common.job import Job
from functions.common.messages import about
from functions.common.observability import MetricUnit, count, count_apart, measure
from functions.common.store import Applied, Change


def ending(change: Change, outcome: Applied) -> dict[str, object]:
    """The fields of the log line about a change that was to end a job."""
    if isinstance(outcome, Job):
        return about(change.message, outcome="changed", status=outcome.status, version=outcome.version)
    return about(change.message, outcome=outcome)


def count_resolved(jobs: list[Job]) -> None:
    """Also how long their callers waited, in ms, beyond the delay that they had asked for.

    Not of retried jobs: their age would tell when somebody came back to them.
    """
    count("JobsResolved", len(jobs))
    for job in jobs:
        if job.run == 1:
            age = job.updated_at - job.created_at - 1000 * job.delay_seconds
            measure("AgeAtResolution", age, MetricUnit.Milliseconds)


def count_failed(jobs: list[Job]) -> None:
    """All of them, and by code."""
    count("JobsFailed", len(jobs))
    codes = Counter(str(job.error["code"]) for job in jobs if job.error)
    for code, number in codes.items():
        count_apart("JobsFailed", number, code=code)
