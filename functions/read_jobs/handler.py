"""The API's GET calls."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from aws_lambda_powertools.event_handler import Response

from functions.common.api import CORS, answer, job_id_of, make_resolver, resolve
from functions.common.clock import now_ms
from functions.common.job import SHARDS
from functions.common.observability import observed
from functions.common.settings import load
from functions.read_jobs.paging import parse_page_request
from functions.read_jobs.read_jobs import JobReader

app = make_resolver()

OPENAPI = Path(__file__).with_name("openapi.json")


@dataclass(frozen=True)
class Settings:
    """From the environment."""

    jobs_table: str
    ledger_table: str
    rate_limit: int


@cache
def reader() -> JobReader:
    """Client and settings, once per process."""
    settings = load(Settings, os.environ)
    return JobReader(
        boto3.client("dynamodb"),
        settings.jobs_table,
        settings.ledger_table,
        settings.rate_limit,
        ThreadPoolExecutor(SHARDS),
        now_ms,
    )


@app.get("/jobs")
def handle_list_jobs() -> Response[str]:
    """A page of jobs, newest first."""
    page = parse_page_request(app.current_event.query_string_parameters)
    return answer(200, app.context["reader"].page(page))


@app.get("/jobs/<job_id>")
def handle_get_job(job_id: str) -> Response[str]:
    """One job."""
    return answer(200, app.context["reader"].job(job_id_of(job_id)).shown())


@app.get("/stats")
def handle_get_stats() -> Response[str]:
    """Counts and the rate budget."""
    return answer(200, app.context["reader"].stats())


@app.get("/openapi.json")
def handle_get_openapi() -> Response[str]:
    """The contract."""
    headers = {**CORS, "Cache-Control": "public, max-age=300"}
    return Response(200, "application/json", OPENAPI.read_text(encoding="utf-8"), headers)


def respond(event: dict[str, Any], context: Any, job_reader: JobReader) -> dict[str, Any]:
    """Answer one API Gateway event with the given reader."""
    return resolve(app, event, context, reader=job_reader)


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry."""
    return respond(event, context, reader())
