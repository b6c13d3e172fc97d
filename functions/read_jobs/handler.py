"""Handle the API's GET calls."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from functions.common.access import find_job, select_owner
from functions.common.api import Api, ApiRequest, ApiResponse, Route, json_response, parse_job_id
from functions.common.budget import Limits
from functions.common.clock import now_ms
from functions.common.find_jobs import MAX_PARALLEL_QUERIES
from functions.common.identity import PUBLIC_OWNER
from functions.common.ledger import Ledger
from functions.common.observability import instrumented
from functions.common.queues import Queue
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore
from functions.read_jobs.paging import parse_page_request
from functions.read_jobs.read_jobs import JobReader

DOCUMENTS = Path(__file__).parent
"""Where the bundle has openapi.json and kinds.json, which are generated from the declarations."""


@dataclass(frozen=True)
class ReadJobsSettings:
    """Environment variables. `auth` is `none` without sign-in.

    `budgets` is a JSON object: the limits of all budgets by name. `queues` is another: the URL of each kind's
    queue.
    """

    auth: str
    jobs_table: str
    ledger_table: str
    budgets: str
    queues: str


def handle_list_jobs(request: ApiRequest, job_reader: JobReader) -> ApiResponse:
    """Return a page of jobs, newest first."""
    owner = select_owner(request.query, request.identity)
    return json_response(200, job_reader.list_jobs(owner, parse_page_request(dict(request.query))))


def handle_get_job(request: ApiRequest, job_reader: JobReader) -> ApiResponse:
    """Return one job."""
    job = find_job(job_reader.store, parse_job_id(request.path["id"]), request.identity)
    return json_response(200, job.public_view())


def handle_get_history(request: ApiRequest, job_reader: JobReader) -> ApiResponse:
    """Return the recorded changes of a job."""
    job = find_job(job_reader.store, parse_job_id(request.path["id"]), request.identity)
    return json_response(200, job_reader.history(job))


def handle_get_stats(request: ApiRequest, job_reader: JobReader) -> ApiResponse:
    """Return counts and budgets, and the lengths of the queues to those who may see the jobs of all."""
    identity = request.identity
    with_queues = identity.is_operator or identity.owner == PUBLIC_OWNER
    owner = select_owner(request.query, identity)
    return json_response(200, job_reader.stats(owner, with_queues=with_queues))


def handle_get_kinds(_: ApiRequest, __: JobReader) -> ApiResponse:
    """Return the declarations of the kinds."""
    return _document("kinds.json")


def handle_get_openapi(_: ApiRequest, __: JobReader) -> ApiResponse:
    """Return the API's contract."""
    return _document("openapi.json")


def _document(name: str) -> ApiResponse:
    content = json.loads((DOCUMENTS / name).read_bytes())
    return json_response(200, content, {"Cache-Control": "public, max-age=300"})


ROUTES: dict[str, Route] = {
    "GET /jobs": handle_list_jobs,
    "GET /jobs/{id}": handle_get_job,
    "GET /jobs/{id}/history": handle_get_history,
    "GET /kinds": handle_get_kinds,
    "GET /stats": handle_get_stats,
    "GET /openapi.json": handle_get_openapi,
}


@at_start
def reader() -> Api:
    """Create the client and read the settings, once per process."""
    settings = load(ReadJobsSettings, os.environ)
    dynamodb = boto3.client("dynamodb")
    sqs = boto3.client("sqs")
    job_reader = JobReader(
        JobStore(dynamodb, settings.jobs_table),
        Ledger(dynamodb, settings.ledger_table),
        {name: Limits(**limits) for name, limits in json.loads(settings.budgets).items()},
        {kind: Queue(sqs, url) for kind, url in json.loads(settings.queues).items()},
        ThreadPoolExecutor(MAX_PARALLEL_QUERIES),
        now_ms,
    )
    return Api(ROUTES, job_reader, settings.auth)


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle an event of API Gateway."""
    return reader().handle(event)
