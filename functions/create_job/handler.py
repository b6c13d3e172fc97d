"""Handle `POST /jobs` and `POST /jobs/bulk`."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.api import Api, ApiRequest, ApiResponse, Route, json_response
from functions.common.clock import now_ms
from functions.common.errors import Problem, invalid, problem_body
from functions.common.http.destinations import ANYWHERE_PUBLIC, Destinations, listed
from functions.common.job import Job
from functions.common.kind import Kind
from functions.common.kind_input import import_declarations
from functions.common.observability import instrumented
from functions.common.queues import Queue
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore
from functions.create_job.bulk_request import parse_bulk_request
from functions.create_job.create_job import Caller, JobIntake
from functions.create_job.job_request import (
    KEY_HEADER,
    JobEntry,
    parse_idempotency_key,
    parse_job_request,
)


@dataclass(frozen=True)
class CreateJobSettings:
    """Environment variables.

    `auth` is `none` without sign-in. `kinds` is a JSON object: for each kind its `module` and the URL of its
    `queue`. `caller_salt` is that of the digests of callers' addresses. `webhooks` is `true` if jobs may have
    `notify`, and `webhook_private_hosts` lists each `host:port` that it may name although it is not public,
    separated by commas.
    """

    auth: str
    jobs_table: str
    kinds: str
    caller_salt: str
    webhooks: str
    webhook_private_hosts: str


@dataclass(frozen=True)
class CreateJob:
    """What the calls need. `kinds` are the declarations by name, `receivers` the URLs of webhooks.

    Without webhooks it is None.
    """

    intake: JobIntake
    kinds: Mapping[str, Kind]
    receivers: Destinations | None = ANYWHERE_PUBLIC


def handle_create_job(request: ApiRequest, function: CreateJob) -> ApiResponse:
    """Return `201` and the job, with its path in Location."""
    key = parse_idempotency_key(request.headers.get(KEY_HEADER.lower()))
    wanted = parse_job_request(request.body, function.kinds, function.receivers)
    entry = JobEntry(wanted, key, KEY_HEADER)
    [job] = function.intake.create_jobs([entry], request.correlation_id, _caller(request))
    if isinstance(job, Problem):
        raise job
    return json_response(201, job.public_view(), {"Location": f"/{request.stage}/jobs/{job.id}"})


def handle_create_jobs(request: ApiRequest, function: CreateJob) -> ApiResponse:
    """Return `200` and, for each entry, the job or the problem."""
    if KEY_HEADER.lower() in request.headers:
        raise invalid(KEY_HEADER, "is not for several jobs; give each entry its own key")
    entries = parse_bulk_request(request.body, function.kinds, function.receivers)
    valid = [entry for entry in entries if isinstance(entry, JobEntry)]
    created = iter(function.intake.create_jobs(valid, request.correlation_id, _caller(request)))
    results = [entry if isinstance(entry, Problem) else next(created) for entry in entries]
    return json_response(200, {"results": [_result(result) for result in results]})


def _caller(request: ApiRequest) -> Caller:
    return Caller(request.identity.owner, request.address)


def _result(result: Job | Problem) -> dict[str, Any]:
    if isinstance(result, Job):
        return result.public_view()
    return problem_body(result.status, result.detail, result.errors)


ROUTES: dict[str, Route] = {"POST /jobs": handle_create_job, "POST /jobs/bulk": handle_create_jobs}


@at_start
def create_job() -> Api:
    """Create the clients and read the settings and declarations, once per process."""
    settings = load(CreateJobSettings, os.environ)
    sqs = boto3.client("sqs")
    kinds = json.loads(settings.kinds)
    queues = {name: Queue(sqs, kind["queue"]) for name, kind in kinds.items()}
    intake = JobIntake(
        JobStore(boto3.client("dynamodb"), settings.jobs_table), queues, now_ms, settings.caller_salt
    )
    declarations = import_declarations({name: kind["module"] for name, kind in kinds.items()})
    hosts = listed(settings.webhook_private_hosts)
    receivers = Destinations(private=hosts) if settings.webhooks == "true" else None
    return Api(ROUTES, CreateJob(intake, declarations, receivers), settings.auth)


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle an event of API Gateway."""
    return create_job().handle(event)
