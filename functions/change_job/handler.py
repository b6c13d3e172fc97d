"""DELETE /jobs/{id} and POST /jobs/{id}/retry."""

import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools.event_handler import Response

from functions.change_job.change_job import JobChanger
from functions.common.api import answer, job_id_of, make_resolver, resolve
from functions.common.observability import observed
from functions.common.queues import Queue
from functions.common.settings import load
from functions.common.store import JobStore

app = make_resolver()


@dataclass(frozen=True)
class Settings:
    """From the environment."""

    jobs_table: str
    jobs_queue_url: str


@cache
def changer() -> JobChanger:
    """Clients and settings, once per process."""
    settings = load(Settings, os.environ)
    store = JobStore(boto3.client("dynamodb"), settings.jobs_table)
    return JobChanger(store, Queue(boto3.client("sqs"), settings.jobs_queue_url))


@app.delete("/jobs/<job_id>")
def handle_cancel_job(job_id: str) -> Response[str]:
    """`200` and the cancelled job."""
    return answer(200, app.context["changer"].cancel(job_id_of(job_id)).shown())


@app.post("/jobs/<job_id>/retry")
def handle_retry_job(job_id: str) -> Response[str]:
    """`200` and the job, pending again."""
    return answer(200, app.context["changer"].retry(job_id_of(job_id)).shown())


def respond(event: dict[str, Any], context: Any, job_changer: JobChanger) -> dict[str, Any]:
    """Answer one API Gateway event with the given changer."""
    return resolve(app, event, context, changer=job_changer)


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry."""
    return respond(event, context, changer())
