"""The results queue's worker."""

import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.observability import observed
from functions.common.queues import partial_failure
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore
from functions.result_worker.record_results import record_results


@dataclass(frozen=True)
class Settings:
    """From the environment."""

    jobs_table: str


@at_start
def store() -> JobStore:
    """Client and settings, once per process."""
    return JobStore(boto3.client("dynamodb"), load(Settings, os.environ).jobs_table)


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry: a batch of SQS records, answered with the messages that must come again."""
    return partial_failure(record_results(event["Records"], store()))
