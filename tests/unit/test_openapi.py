"""The OpenAPI document describes what the functions respond with."""

import json
from dataclasses import fields
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from functions.common.errors import FieldError, problem_body
from functions.common.job import PUBLIC_FIELDS, STATUSES, JobError, Photo, Photographer
from functions.common.ledger import Budget
from functions.common.queues import MAX_DELAY_SECONDS
from infra.constructs.gateway_responses import problem
from infra.settings import SQS_MAX_DELAY

SCHEMAS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "functions" / "read_jobs" / "openapi.json").read_text()
)["components"]["schemas"]


@pytest.mark.parametrize(
    ("schema", "names"),
    [
        ("Job", PUBLIC_FIELDS),
        ("Photo", Photo.__annotations__),
        ("Photographer", Photographer.__annotations__),
        ("JobError", JobError.__annotations__),
        ("Counts", STATUSES),
        ("Budget", [field.name for field in fields(Budget)]),
        ("Problem", problem_body(400, "")),
        ("FieldError", [field.name for field in fields(FieldError)]),
    ],
)
def test_a_schema_has_exactly_the_fields_of_the_code(schema: str, names: Any) -> None:
    assert list(SCHEMAS[schema]["properties"]) == list(names)
    assert set(SCHEMAS[schema]["required"]) == set(names)


def test_every_status_is_documented() -> None:
    assert SCHEMAS["Status"]["enum"] == list(STATUSES)


def test_the_longest_delay_is_the_same_everywhere() -> None:
    assert SCHEMAS["JobRequest"]["properties"]["delay_seconds"]["maximum"] == MAX_DELAY_SECONDS
    assert SQS_MAX_DELAY == MAX_DELAY_SECONDS


def test_the_gateways_own_errors_have_the_form_of_the_functions_errors() -> None:
    detail = "no such resource"
    assert json.loads(problem(HTTPStatus.NOT_FOUND, detail)) == problem_body(404, detail)
