"""Handle `DELETE /jobs/{id}` and `POST /jobs/{id}/retry`."""

import json
import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.change_job.change_job import JobChanger
from functions.common.api import Api, ApiRequest, ApiResponse, Route, json_response, parse_job_id
from functions.common.observability import instrumented
from functions.common.queues import Queue
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore


@dataclass(frozen=True)
class ChangeJobSettings:
    """Environment variables.

    `auth` is `none` without sign-in. `kinds` is a JSON object: for each kind the URL of its `queue`.
    `caller_salt` is that of the digests of callers' addresses.
    """

    auth: str
    jobs_table: str
    kinds: str
    caller_salt: str


def handle_cancel_job(request: ApiRequest, job_changer: JobChanger) -> ApiResponse:
    """Return `200` and the cancelled job."""
    job = job_changer.cancel(parse_job_id(request.path["id"]), request.identity)
    return json_response(200, job.public_view())


def handle_retry_job(request: ApiRequest, job_changer: JobChanger) -> ApiResponse:
    """Return `200` and the job, which is pending again."""
    job = job_changer.retry(parse_job_id(request.path["id"]), request.identity, request.address)
    return json_response(200, job.public_view())


ROUTES: dict[str, Route] = {
    "DELETE /jobs/{id}": handle_cancel_job,
    "POST /jobs/{id}/retry": handle_retry_job,
}


@at_start
def changer() -> Api:
    """Create the clients and read the settings, once per process."""
    settings = load(ChangeJobSettings, os.environ)
    store = JobStore(boto3.client("dynamodb"), settings.jobs_table)
    sqs = boto3.client("sqs")
    queues = {name: Queue(sqs, kind["queue"]) for name, kind in json.loads(settings.kinds).items()}
    return Api(ROUTES, JobChanger(store, queues, settings.caller_salt), settings.auth)


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle an event of API Gateway."""
    return changer().handle(event)
