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
    """Environment variables."""

    jobs_table: str
    jobs_queue_url: str


@at_start
def intake() -> JobIntake:
    """Create the clients and read the settings, once per process."""
    settings = load(CreateJobSettings, os.environ)
    store = JobStore(boto3.client("dynamodb"), settings.jobs_table)
    return JobIntake(store, Queue(boto3.client("sqs"), settings.jobs_queue_url), now_ms)


def handle_create_job(request: ApiRequest, job_intake: JobIntake) -> ApiResponse:
    """Return `201` and the job, with its path in Location."""
    key = parse_idempotency_key(request.headers.get("idempotency-key"))
    job = job_intake.create_job(parse_job_request(request.body), key, request.correlation_id)
    return json_response(201, job.public_view(), {"Location": f"/{request.stage}/jobs/{job.id}"})


ROUTES: dict[str, Route] = {"POST /jobs": handle_create_job}


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle an event of API Gateway."""
    return handle(ROUTES, event, intake())
