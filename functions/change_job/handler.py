"""DELETE /jobs/{id} and POST /jobs/{id}/retry."""

import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.change_job.change_job import JobChanger
from functions.common.api import Answer, Request, Route, answer, job_id_of, serve
from functions.common.observability import observed
from functions.common.queues import Queue
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore


@dataclass(frozen=True)
class Settings:
    """From the environment."""

    jobs_table: str
    jobs_queue_url: str


@at_start
def changer() -> JobChanger:
    """Clients and settings, once per process."""
    settings = load(Settings, os.environ)
    store = JobStore(boto3.client("dynamodb"), settings.jobs_table)
    return JobChanger(store, Queue(boto3.client("sqs"), settings.jobs_queue_url))


def handle_cancel_job(request: Request, job_changer: JobChanger) -> Answer:
    """`200` and the cancelled job."""
    return answer(200, job_changer.cancel(job_id_of(request.path["id"])).shown())


def handle_retry_job(request: Request, job_changer: JobChanger) -> Answer:
    """`200` and the job, pending again."""
    return answer(200, job_changer.retry(job_id_of(request.path["id"])).shown())


ROUTES: dict[str, Route] = {
    "DELETE /jobs/{id}": handle_cancel_job,
    "POST /jobs/{id}/retry": handle_retry_job,
}


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry."""
    return serve(ROUTES, event, changer())
