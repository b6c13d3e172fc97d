"""POST /jobs."""

import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.api import Answer, Request, Route, answer, serve
from functions.common.clock import now_ms
from functions.common.observability import observed
from functions.common.queues import Queue
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore
from functions.create_job.create_job import JobIntake
from functions.create_job.job_request import parse_idempotency_key, parse_job_request


@dataclass(frozen=True)
class Settings:
    """From the environment."""

    jobs_table: str
    jobs_queue_url: str


@at_start
def intake() -> JobIntake:
    """Clients and settings, once per process."""
    settings = load(Settings, os.environ)
    store = JobStore(boto3.client("dynamodb"), settings.jobs_table)
    return JobIntake(store, Queue(boto3.client("sqs"), settings.jobs_queue_url), now_ms)


def handle_create_job(request: Request, job_intake: JobIntake) -> Answer:
    """`201` and the job, with its address in Location."""
    key = parse_idempotency_key(request.headers.get("idempotency-key"))
    job = job_intake.create_job(parse_job_request(request.body), key, request.correlation_id)
    return answer(201, job.shown(), {"Location": f"/{request.stage}/jobs/{job.id}"})


ROUTES: dict[str, Route] = {"POST /jobs": handle_create_job}


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry."""
    return serve(ROUTES, event, intake())
