"""Every response to generated requests conforms to the OpenAPI document and is never a 5xx."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from infra.kinds import read_kinds
from infra.tools.contract import openapi
from tests.integration.conftest import Calo

DOCUMENT = openapi({name: declaration.kind for name, declaration in read_kinds().items()})
VALID, INVALID = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
CALLS_WITH_SIGN_IN = [
    pytest.param(method.upper(), path, mode, id=f"{mode.value} {method.upper()} {path}")
    for path, calls in DOCUMENT["paths"].items()
    if path != "/live"  # successful responses never end; see the test of streams below
    for method, call in calls.items()
    # a call without parameters and body has no invalid input
    for mode in ((VALID, INVALID) if {"parameters", "requestBody"} & {*call} else (VALID,))
]
CALLS = [call for call in CALLS_WITH_SIGN_IN if call.values[1] != "/live/tickets"]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
CASES = 15
"""Cases per call and kind of input, valid and invalid."""


@pytest.fixture(scope="session")
def api(calo: Calo) -> Any:
    return schemathesis.openapi.from_url(f"{calo.system.url}/api/openapi.json")


@pytest.mark.parametrize(("method", "path", "mode"), CALLS)
def test_every_response_conforms_to_the_document(
    api: Any, method: str, path: str, mode: GenerationMode
) -> None:
    operation = api[path][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def call(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, timeout=60)

    call()


IDS = st.uuids().map(str) | st.text(max_size=40) | st.just("x," * 120)
NUMBERS = st.integers(-1, 10**20).map(str)
CURSORS = NUMBERS | st.text(max_size=20)
# control characters would make the request malformed, which is a 400 for every method
HEADER = NUMBERS | st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20)


@given(
    jobs=st.lists(IDS, max_size=3),
    query=st.dictionaries(st.sampled_from(["lastEventId", "x"]), CURSORS),
    header=HEADER,
    method=st.sampled_from(["GET", "GET", "GET", "POST", "HEAD"]),
)
@settings(max_examples=3 * CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_response_to_a_stream_request_conforms_to_the_document(
    calo: Calo, jobs: list[str], query: dict[str, str], header: str, method: str
) -> None:
    headers = {b"Last-Event-ID": header.strip().encode("latin-1")}
    with calo.http.stream(method, "live", params={"job": jobs, **query}, headers=headers) as response:
        if response.status_code == 200:
            assert method in ("GET", "HEAD")
            assert "x" not in query
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        else:
            assert response.status_code in ((400,) if method in ("GET", "HEAD") else (403, 404, 405))
            assert response.read() or method == "HEAD"
