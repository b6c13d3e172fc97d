"""Process the messages of a kind's queue. Every kind has its own function with this code."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import boto3
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from aws_lambda_powertools.utilities.parameters.secrets import SecretsProvider

from functions.common.budget import Limits
from functions.common.clock import now_ms
from functions.common.errors import Transient
from functions.common.kind import Files, Kind
from functions.common.ledger import Ledger
from functions.common.observability import instrumented
from functions.common.queues import Queue, partial_failure
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore
from functions.job_worker.context import StoredFiles, Tools
from functions.job_worker.progress import JobProgress
from functions.job_worker.report import Reporter
from functions.job_worker.run_work import WorkRunner
from functions.job_worker.work import JobWorker

SECRET_SECONDS = 30
"""How long a secret is cached. A changed one is used after this time."""
REPORT_SECONDS = 5
"""What remains of the function's time for reporting the outcomes."""


@dataclass(frozen=True)
class JobWorkerSettings:
    """Environment variables.

    `kind_module` is the module that declares the kind; `kind_timeout` and `retry_seconds` are the deployed
    values of its declaration. `budgets` and `secrets` are JSON objects: the limits of the kind's budgets, and
    the ARNs of its secrets. Without `files_bucket` it stores no files.
    """

    kind_module: str
    kind_timeout: int
    retry_seconds: int
    budgets: str
    secrets: str
    jobs_table: str
    ledger_table: str
    queue_url: str
    results_queue_url: str
    dead_letter_queue_url: str
    files_bucket: str = ""
    files_base_url: str = ""


def _files(settings: JobWorkerSettings, kind: str) -> Files | None:
    if not settings.files_bucket:
        return None
    prefix = f"images/{kind}/"
    return StoredFiles(boto3.client("s3"), settings.files_bucket, settings.files_base_url, prefix)


def _secret_reader(arns: dict[str, str]) -> Callable[[str], str]:
    provider = SecretsProvider(boto3_client=boto3.client("secretsmanager")) if arns else None

    def read(name: str) -> str:
        if provider is None or name not in arns:
            raise ValueError(f"the kind does not declare the secret {name}")
        try:
            return str(provider.get(arns[name], max_age=SECRET_SECONDS)).strip()
        except GetParameterError as error:
            raise Transient("no_secret", f"the secret {name} could not be read") from error

    return read


@at_start
def worker() -> JobWorker:
    """Create the clients and read the settings, once per process."""
    settings = load(JobWorkerSettings, os.environ)
    kind: Kind = replace(import_module(settings.kind_module).KIND, timeout=settings.kind_timeout)
    sqs, dynamodb = boto3.client("sqs"), boto3.client("dynamodb")
    store = JobStore(dynamodb, settings.jobs_table)
    tools = Tools(
        kind=kind.name,
        ledger=Ledger(dynamodb, settings.ledger_table),
        budgets={name: Limits(**limits) for name, limits in json.loads(settings.budgets).items()},
        files=_files(settings, kind.name),
        read_secret=_secret_reader(json.loads(settings.secrets)),
        clock=now_ms,
    )
    reporter = Reporter(
        store=store,
        jobs=Queue(sqs, settings.queue_url),
        results=Queue(sqs, settings.results_queue_url),
        dead_letters=Queue(sqs, settings.dead_letter_queue_url),
        attempts=kind.attempts,
        retry_seconds=settings.retry_seconds,
        clock=now_ms,
    )
    runner = WorkRunner(kind, tools, lambda job: JobProgress(store, job, time.monotonic))
    return JobWorker(kind.name, store, runner, reporter, now_ms)


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch of SQS records. Return the messages that SQS must redeliver."""
    seconds = context.get_remaining_time_in_millis() / 1000 - REPORT_SECONDS
    return partial_failure(worker().work(event["Records"], seconds))
