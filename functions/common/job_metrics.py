"""Log fields and metrics for jobs that have ended."""

from collections import Counter

from functions.common.job import Job
from functions.common.messages import log_fields
from functions.common.observability import MetricUnit, count, count_by, measure
from functions.common.store import JobUpdate, UpdateOutcome


def outcome_fields(update: JobUpdate, outcome: UpdateOutcome) -> dict[str, object]:
    """Return the log fields for an update that should end a job."""
    if isinstance(outcome, Job):
        return log_fields(update.message, outcome="changed", status=outcome.status, version=outcome.version)
    return log_fields(update.message, outcome=outcome)


def count_resolved(jobs: list[Job]) -> None:
    """Count resolved jobs, and measure how long their callers waited beyond the requested delay (ms).

    Retried jobs are not measured: their age mostly shows when a caller retried them.
    """
    count("JobsResolved", len(jobs))
    for job in jobs:
        if job.run == 1:
            age = job.updated_at - job.created_at - 1000 * job.delay_seconds
            measure("AgeAtResolution", age, MetricUnit.Milliseconds)


def count_failed(jobs: list[Job]) -> None:
    """Count failed jobs in total and by error code."""
    count("JobsFailed", len(jobs))
    codes = Counter(job.error["code"] for job in jobs if job.error)
    for code, number in codes.items():
        count_by("JobsFailed", number, code=code)
