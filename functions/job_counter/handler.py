"""Count jobs by status from the jobs table's stream."""

import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.ledger import Ledger
from functions.common.observability import instrumented
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.job_counter.count_jobs import JobCounter


@dataclass(frozen=True)
class JobCounterSettings:
    """Environment variables."""

    ledger_table: str


@at_start
def counter() -> JobCounter:
    """Create the client and read the settings, once per process."""
    return JobCounter(Ledger(boto3.client("dynamodb"), load(JobCounterSettings, os.environ).ledger_table))


@instrumented
def handler(event: dict[str, Any], context: Any) -> None:
    """Handle a batch of stream records. An error makes Lambda retry the whole batch."""
    counter().count(event["Records"])
