"""Whatever a caller sends, the answer is in the OpenAPI document, and never a 5xx."""

import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as any_of
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.integration.conftest import Calo

DOCUMENT = Path(__file__).parents[2] / "functions" / "read_jobs" / "openapi.json"
GOOD, BAD = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
CALLS = [
    pytest.param(method.upper(), path, mode, id=f"{mode.value} {method.upper()} {path}")
    for path, calls in json.loads(DOCUMENT.read_text())["paths"].items()
    if path != "/live"  # its good answers never end: see below
    for method, call in calls.items()
    for mode in ((GOOD, BAD) if "parameters" in call else (GOOD,))  # nothing to get wrong without
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
CASES = 30
"""For each call and each kind of input, good and bad: the whole takes some twenty seconds."""


@pytest.fixture(scope="session")
def api(calo: Calo) -> Any:
    return schemathesis.openapi.from_url(f"{calo.system.url}/api/openapi.json")


@pytest.mark.parametrize(("method", "path", "mode"), CALLS)
def test_every_answer_is_in_the_document(api: Any, method: str, path: str, mode: GenerationMode) -> None:
    operation = api[path][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def answers(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, timeout=60)

    answers()


IDS = any_of.uuids().map(str) | any_of.text(max_size=40) | any_of.just("x," * 120)
CURSORS = any_of.integers(-1, 10**20).map(str) | any_of.text(max_size=20)
HEADER = any_of.text(any_of.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20)


@given(
    jobs=any_of.lists(IDS, max_size=3),
    query=any_of.dictionaries(any_of.sampled_from(["lastEventId", "x"]), CURSORS),
    header=HEADER | CURSORS.filter(str.isascii),
    method=any_of.sampled_from(["GET", "GET", "GET", "POST", "HEAD"]),
)
@settings(max_examples=3 * CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_begin_of_a_stream_is_in_the_document(
    calo: Calo, jobs: list[str], query: dict[str, str], header: str, method: str
) -> None:
    headers = {b"Last-Event-ID": header.strip().encode("latin-1")}
    with calo.http.stream(method, "live", params={"job": jobs, **query}, headers=headers) as answer:
        if answer.status_code == 200:
            assert method == "GET"
            assert answer.headers["content-type"] == "text/event-stream"
        else:
            assert answer.status_code in ((400,) if method == "GET" else (403, 404, 405))
            assert answer.read() or method == "HEAD"
