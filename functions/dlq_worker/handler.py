"""Process the messages of the dead-letter queue."""

import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.observability import instrumented
from functions.common.queues import partial_failure
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore
from functions.dlq_worker.record_failures import record_failures


@dataclass(frozen=True)
class DlqWorkerSettings:
    """Environment variables. `max_receives`: the redrive policy's maxReceiveCount."""

    jobs_table: str
    max_receives: int


@at_start
def dependencies() -> tuple[JobStore, int]:
    """Create the client and read the settings, once per process."""
    settings = load(DlqWorkerSettings, os.environ)
    return JobStore(boto3.client("dynamodb"), settings.jobs_table), settings.max_receives


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch of SQS records. Return the messages that SQS must redeliver."""
    store, max_receives = dependencies()
    return partial_failure(record_failures(event["Records"], store, max_receives))
