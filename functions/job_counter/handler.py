"""The jobs table's stream, counted."""

import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.observability import observed
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.job_counter.count_jobs import JobCounter


@dataclass(frozen=True)
class Settings:
    """From the environment."""

    ledger_table: str


@at_start
def counter() -> JobCounter:
    """Client and settings, once per process."""
    return JobCounter(boto3.client("dynamodb"), load(Settings, os.environ).ledger_table)


@observed
def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda's entry: a batch of stream records. Raises to have the whole batch come again."""
    counter().count(event["Records"])
