"""The dead-letter queue's worker."""

import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.observability import observed
from functions.common.queues import partial_failure
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore
from functions.dlq_worker.record_failures import record_failures


@dataclass(frozen=True)
class Settings:
    """From the environment. `max_receives`: after so many the redrive policy gives a message up."""

    jobs_table: str
    max_receives: int


@at_start
def dependencies() -> tuple[JobStore, int]:
    """Client and settings, once per process."""
    settings = load(Settings, os.environ)
    return JobStore(boto3.client("dynamodb"), settings.jobs_table), settings.max_receives


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry: a batch of SQS records, answered with the messages that must come again."""
    store, max_receives = dependencies()
    return partial_failure(record_failures(event["Records"], store, max_receives))
