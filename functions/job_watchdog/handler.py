"""Looks for lost jobs, on a schedule."""

import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.clock import now_ms
from functions.common.observability import observed
from functions.common.queues import Queue
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore
from functions.job_watchdog.rescue_jobs import JobWatchdog


@dataclass(frozen=True)
class Settings:
    """From the environment. `grace_seconds`: how late a job may be."""

    jobs_table: str
    ledger_table: str
    jobs_queue_url: str
    grace_seconds: int


@at_start
def watchdog() -> JobWatchdog:
    """Clients and settings, once per process."""
    settings = load(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    return JobWatchdog(
        dynamodb=dynamodb,
        jobs_table=settings.jobs_table,
        ledger_table=settings.ledger_table,
        store=JobStore(dynamodb, settings.jobs_table),
        queue=Queue(boto3.client("sqs"), settings.jobs_queue_url),
        grace=settings.grace_seconds,
        clock=now_ms,
    )


@observed
def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda's entry."""
    watchdog().run()
