"""POST /jobs."""

import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools.event_handler import Response

from functions.common.api import answer, make_resolver, resolve
from functions.common.clock import now_ms
from functions.common.observability import observed
from functions.common.queues import Queue
from functions.common.settings import load
from functions.common.store import JobStore
from functions.create_job.create_job import JobIntake
from functions.create_job.job_request import parse_idempotency_key, parse_job_request

app = make_resolver()


@dataclass(frozen=True)
class Settings:
    """From the environment."""

    jobs_table: str
    jobs_queue_url: str


@cache
def intake() -> JobIntake:
    """Clients and settings, once per process."""
    settings = load(Settings, os.environ)
    store = JobStore(boto3.client("dynamodb"), settings.jobs_table)
    return JobIntake(store, Queue(boto3.client("sqs"), settings.jobs_queue_url), now_ms)


@app.post("/jobs")
def handle_create_job() -> Response[str]:
    """`201` and the job, with its address in Location."""
    event = app.current_event
    key = parse_idempotency_key(event.headers.get("Idempotency-Key"))
    request = parse_job_request(event.decoded_body)
    job = app.context["intake"].create_job(request, key)
    return answer(201, job.shown(), {"Location": f"/{event.request_context.stage}/jobs/{job.id}"})


def respond(event: dict[str, Any], context: Any, job_intake: JobIntake) -> dict[str, Any]:
    """Answer one API Gateway event with the given intake."""
    return resolve(app, event, context, intake=job_intake)


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry."""
    return respond(event, context, intake())
