"""Handle the calls of `/schedules`."""

import json
import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.access import select_owner
from functions.common.api import Api, ApiRequest, ApiResponse, Route, json_response, parse_job_id
from functions.common.clock import now_ms
from functions.common.errors import invalid
from functions.common.identity import ALL_OWNERS
from functions.common.kind_input import import_declarations
from functions.common.observability import instrumented
from functions.common.schedule_store import ScheduleStore
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.schedules.schedule_request import (
    parse_list_query,
    parse_schedule_change,
    parse_schedule_request,
)
from functions.schedules.schedules import Schedules


@dataclass(frozen=True)
class SchedulesSettings:
    """Environment variables.

    `auth` is `none` without sign-in. `kinds` is a JSON object: for each kind its `module`. `caller_salt` is
    that of the digests of callers' addresses.
    """

    auth: str
    jobs_table: str
    kinds: str
    caller_salt: str


def handle_create_schedule(request: ApiRequest, schedules: Schedules) -> ApiResponse:
    """Return `201` and the schedule, with its path in Location."""
    wanted = parse_schedule_request(request.body, schedules.kinds)
    created = schedules.create(wanted, request.identity.owner, request.address)
    return json_response(201, created, {"Location": f"/{request.stage}/schedules/{created['id']}"})


def handle_list_schedules(request: ApiRequest, schedules: Schedules) -> ApiResponse:
    """Return all schedules of an owner."""
    parse_list_query(request.query)
    owner = select_owner(request.query, request.identity)
    if owner == ALL_OWNERS:
        raise invalid("owner", "must be one owner; schedules are not listed for all owners together")
    return json_response(200, {"data": schedules.list_all(owner)})


def handle_get_schedule(request: ApiRequest, schedules: Schedules) -> ApiResponse:
    """Return one schedule."""
    return json_response(200, schedules.get(parse_job_id(request.path["id"]), request.identity))


def handle_change_schedule(request: ApiRequest, schedules: Schedules) -> ApiResponse:
    """Return `200` and the changed schedule."""
    schedule_id, values = parse_job_id(request.path["id"]), parse_schedule_change(request.body)
    return json_response(200, schedules.change(schedule_id, values, request.identity))


def handle_delete_schedule(request: ApiRequest, schedules: Schedules) -> ApiResponse:
    """Return `204`."""
    schedules.delete(parse_job_id(request.path["id"]), request.identity)
    return {**json_response(204, None), "body": ""}


ROUTES: dict[str, Route] = {
    "POST /schedules": handle_create_schedule,
    "GET /schedules": handle_list_schedules,
    "GET /schedules/{id}": handle_get_schedule,
    "PATCH /schedules/{id}": handle_change_schedule,
    "DELETE /schedules/{id}": handle_delete_schedule,
}


@at_start
def schedules() -> Api:
    """Create the client and read the settings and declarations, once per process."""
    settings = load(SchedulesSettings, os.environ)
    kinds = import_declarations({name: kind["module"] for name, kind in json.loads(settings.kinds).items()})
    store = ScheduleStore(boto3.client("dynamodb"), settings.jobs_table)
    return Api(ROUTES, Schedules(store, kinds, now_ms, settings.caller_salt), settings.auth)


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle an event of API Gateway."""
    return schedules().handle(event)
