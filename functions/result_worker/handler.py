"""Process the messages of the results queue."""

import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.observability import instrumented
from functions.common.queues import partial_failure
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore
from functions.result_worker.record_results import record_results


@dataclass(frozen=True)
class ResultWorkerSettings:
    """Environment variables."""

    jobs_table: str


@at_start
def store() -> JobStore:
    """Create the client and read the settings, once per process."""
    return JobStore(boto3.client("dynamodb"), load(ResultWorkerSettings, os.environ).jobs_table)


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch of SQS records. Return the messages that SQS must redeliver."""
    return partial_failure(record_results(event["Records"], store()))
