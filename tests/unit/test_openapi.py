"""The OpenAPI document describes what the functions respond with."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from functions.common.errors import FieldError, problem_body
from functions.common.job import PUBLIC_FIELDS, STATUSES, JobError, Photo, Photographer
from functions.common.ledger import Budget

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
