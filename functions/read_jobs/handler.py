"""The API's GET calls."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from functions.common.api import Answer, Request, Route, answer, job_id_of, serve
from functions.common.clock import now_ms
from functions.common.job import SHARDS
from functions.common.observability import observed
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore
from functions.read_jobs.paging import parse_page_request
from functions.read_jobs.read_jobs import JobReader

OPENAPI = Path(__file__).with_name("openapi.json")


@dataclass(frozen=True)
class Settings:
    """From the environment."""

    jobs_table: str
    ledger_table: str
    rate_limit: int


@at_start
def reader() -> JobReader:
    """Client and settings, once per process."""
    settings = load(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    return JobReader(
        JobStore(dynamodb, settings.jobs_table),
        dynamodb,
        settings.jobs_table,
        settings.ledger_table,
        settings.rate_limit,
        ThreadPoolExecutor(SHARDS),
        now_ms,
    )


def handle_list_jobs(request: Request, job_reader: JobReader) -> Answer:
    """A page of jobs, newest first."""
    return answer(200, job_reader.page(parse_page_request(dict(request.query))))


def handle_get_job(request: Request, job_reader: JobReader) -> Answer:
    """One job."""
    return answer(200, job_reader.job(job_id_of(request.path["id"])).shown())


def handle_get_stats(_: Request, job_reader: JobReader) -> Answer:
    """Counts and the rate budget."""
    return answer(200, job_reader.stats())


def handle_get_openapi(_: Request, __: JobReader) -> Answer:
    """The contract."""
    return answer(200, json.loads(OPENAPI.read_bytes()), {"Cache-Control": "public, max-age=300"})


ROUTES: dict[str, Route] = {
    "GET /jobs": handle_list_jobs,
    "GET /jobs/{id}": handle_get_job,
    "GET /stats": handle_get_stats,
    "GET /openapi.json": handle_get_openapi,
}


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry."""
    return serve(ROUTES, event, reader())
