"""Find lost jobs, on a schedule."""

import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.clock import now_ms
from functions.common.ledger import Ledger
from functions.common.observability import instrumented
from functions.common.queues import Queue
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore
from functions.job_watchdog.rescue_jobs import JobWatchdog


@dataclass(frozen=True)
class JobWatchdogSettings:
    """Environment variables. `grace_seconds`: how late a job may be."""

    jobs_table: str
    ledger_table: str
    jobs_queue_url: str
    grace_seconds: int


@at_start
def watchdog() -> JobWatchdog:
    """Create the clients and read the settings, once per process."""
    settings = load(JobWatchdogSettings, os.environ)
    dynamodb = boto3.client("dynamodb")
    return JobWatchdog(
        store=JobStore(dynamodb, settings.jobs_table),
        ledger=Ledger(dynamodb, settings.ledger_table),
        queue=Queue(boto3.client("sqs"), settings.jobs_queue_url),
        grace=settings.grace_seconds,
        clock=now_ms,
    )


@instrumented
def handler(event: dict[str, Any], context: Any) -> None:
    """Handle a scheduled invocation."""
    watchdog().run()
