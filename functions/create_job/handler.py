"""Handle `POST /jobs`."""

import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.api import ApiRequest, ApiResponse, Route, handle, json_response
from functions.common.clock import now_ms
from functions.common.observability import instrumented
from functions.common.queues import Queue
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore
from functions.create_job.create_job import JobIntake
from functions.create_job.job_request import parse_idempotency_key, parse_job_request


@dataclass(frozen=True)
class CreateJobSettings:
    """Environment variables. `caller_salt` is that of the digests of callers' addresses."""

    jobs_table: str
    jobs_queue_url: str
    caller_salt: str


@at_start
def intake() -> JobIntake:
    """Create the clients and read the settings, once per process."""
    settings = load(CreateJobSettings, os.environ)
    store = JobStore(boto3.client("dynamodb"), settings.jobs_table)
    queue = Queue(boto3.client("sqs"), settings.jobs_queue_url)
    return JobIntake(store, queue, now_ms, settings.caller_salt)


def handle_create_job(request: ApiRequest, job_intake: JobIntake) -> ApiResponse:
    """Return `201` and the job, with its path in Location."""
    key = parse_idempotency_key(request.headers.get("idempotency-key"))
    wanted = parse_job_request(request.body)
    job = job_intake.create_job(wanted, key, request.correlation_id, request.address)
    return json_response(201, job.public_view(), {"Location": f"/{request.stage}/jobs/{job.id}"})


ROUTES: dict[str, Route] = {"POST /jobs": handle_create_job}


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle an event of API Gateway."""
    return handle(ROUTES, event, intake())
