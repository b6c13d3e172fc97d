"""Wake jobs that are overdue or parked, and run schedules, every minute."""

import json
import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.clock import now_ms
from functions.common.observability import instrumented
from functions.common.queues import Queue
from functions.common.schedule_store import ScheduleStore
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore
from functions.job_watchdog.rescue_jobs import JobWatchdog
from functions.job_watchdog.run_schedules import ScheduleRunner


@dataclass(frozen=True)
class JobWatchdogSettings:
    """Environment variables.

    `kinds` is a JSON object: for each kind the URL of its `queue`. `grace_seconds`: how late a job may be.
    """

    jobs_table: str
    kinds: str
    results_queue_url: str
    dead_letter_queue_url: str
    grace_seconds: int


@at_start
def watchdog() -> JobWatchdog:
    """Create the clients and read the settings, once per process."""
    settings = load(JobWatchdogSettings, os.environ)
    sqs, dynamodb = boto3.client("sqs"), boto3.client("dynamodb")
    store = JobStore(dynamodb, settings.jobs_table)
    schedules = ScheduleStore(dynamodb, settings.jobs_table)
    queues = {name: Queue(sqs, kind["queue"]) for name, kind in json.loads(settings.kinds).items()}
    reports = (settings.results_queue_url, settings.dead_letter_queue_url)
    return JobWatchdog(
        store=store,
        schedules=ScheduleRunner(store, schedules, queues, settings.grace_seconds, now_ms),
        queues=queues,
        reports=tuple(Queue(sqs, url) for url in reports),
        grace=settings.grace_seconds,
        clock=now_ms,
    )


@instrumented
def handler(event: dict[str, Any], context: Any) -> None:
    """Handle a scheduled invocation."""
    watchdog().run()
