"""Handle the calls that change jobs: one by its id, or many by a filter."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3

from functions.change_job.change_job import JobChanger
from functions.change_job.change_jobs import BulkChanger
from functions.change_job.selection_request import check_query, parse_cancel, parse_retry
from functions.common.access import select_owner
from functions.common.api import Api, ApiRequest, ApiResponse, Route, json_response, parse_job_id
from functions.common.clock import now_ms
from functions.common.find_jobs import MAX_PARALLEL_QUERIES, JobFinder
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


def handle_cancel_job(request: ApiRequest, jobs: BulkChanger) -> ApiResponse:
    """Return `200` and the cancelled job."""
    job = jobs.changer.cancel(parse_job_id(request.path["id"]), request.identity)
    return json_response(200, job.public_view())


def handle_retry_job(request: ApiRequest, jobs: BulkChanger) -> ApiResponse:
    """Return `200` and the job, which is pending again."""
    job = jobs.changer.retry(parse_job_id(request.path["id"]), request.identity, request.address)
    return json_response(200, job.public_view())


def handle_cancel_jobs(request: ApiRequest, jobs: BulkChanger) -> ApiResponse:
    """Return `200`, how many jobs were cancelled, and whether there may be more."""
    check_query(request.query)
    selection = parse_cancel(request.body, select_owner(request.query, request.identity))
    changed, more = jobs.cancel(selection, request.identity)
    return json_response(200, {"changed": changed, "more": more})


def handle_retry_jobs(request: ApiRequest, jobs: BulkChanger) -> ApiResponse:
    """Return `200`, how many jobs are pending again, and whether there may be more."""
    check_query(request.query)
    owner = select_owner(request.query, request.identity)
    selection = parse_retry(request.body, owner, jobs.changer.queues.keys())
    changed, more = jobs.retry(selection, request.identity, request.address)
    return json_response(200, {"changed": changed, "more": more})


ROUTES: dict[str, Route] = {
    "POST /jobs/cancel": handle_cancel_jobs,
    "POST /jobs/retry": handle_retry_jobs,
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
    job_changer = JobChanger(store, queues, settings.caller_salt)
    finder = JobFinder(store, ThreadPoolExecutor(MAX_PARALLEL_QUERIES), now_ms)
    return Api(ROUTES, BulkChanger(job_changer, finder, now_ms), settings.auth)


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle an event of API Gateway."""
    return changer().handle(event)
