"""Sign-in: who may make which call."""

from typing import Any
from uuid import uuid4

import pytest

from functions.common.api import OPEN_CALLS, Api
from functions.common.schedule_store import ScheduleStore
from functions.common.store import JobStore
from tests.issuer import BAD_TOKENS, Issuer
from tests.unit.factories import ParsedResponse, api_event, make_schedule
from tests.unit.fakes import FakeClock
from tests.unit.gateway import BODIES, CALLS, Gateway
from tests.unit.sign_in import ANN, BOB, FAILED, add, everything


def test_the_calls_are_those_of_the_functions(functions: list[Api]) -> None:
    names = {f"{method} {path}" for method, path in CALLS}
    assert names | {*OPEN_CALLS} == {call for function in functions for call in function.routes}


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_no_call_is_made_without_a_valid_token(
    gateway: Gateway,
    issuer: Issuer,
    store: JobStore,
    schedules: ScheduleStore,
    dynamodb: Any,
    method: str,
    path: str,
    clock: FakeClock,
) -> None:
    """API Gateway refuses them. The function that would handle the call is never asked."""
    job = add(
        store, clock, ANN, **(FAILED if path.count("/") == 3 else {}), notify="https://receiver.test/hook"
    )
    schedule = make_schedule(owner=ANN)
    schedules.create(schedule)
    before = everything(dynamodb)
    target = path.replace("{id}", schedule.id if path.startswith("/schedules") else job.id)
    tokens = {name: make(issuer) for name, make in BAD_TOKENS.items()}
    answers = {name: gateway.call(method, target, token).status for name, token in tokens.items()}
    headers = (None, "", "Bearer", "Bearer ", issuer.token("ann"), f"Basic {issuer.token('ann')}")
    answers |= {f"header {header}": gateway.call(method, target, header=header).status for header in headers}
    assert set(answers.values()) == {401}, answers
    assert everything(dynamodb) == before
    body = BODIES.get((method, path))
    assert gateway.call(method, target, issuer.token("ann"), body=body).status in (200, 201, 202, 204)


IDENTITIES: dict[str, dict[str, Any] | None] = {
    "none": None,
    "empty": {},
    "of Cognito's own authorizer": {"claims": {"sub": "ann"}},
    "without owner": {"expires_at": "4000000000000"},
    "public": {"owner": "public", "expires_at": "4000000000000"},
    "all": {"owner": "*", "expires_at": "4000000000000"},
    "null": {"owner": None, "expires_at": None},
    "without expiry": {"owner": ANN},
    "malformed expiry": {"owner": ANN, "expires_at": "None"},
    "expired": {"owner": ANN, "expires_at": "1", "operator": "true"},
}


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("name", IDENTITIES)
def test_a_function_refuses_a_call_that_the_authorizer_has_not_identified(
    functions: list[Api], method: str, path: str, name: str, dynamodb: Any
) -> None:
    event = api_event(method, path.replace("{id}", str(uuid4())), headers={"x-owner": ANN, "owner": ANN})
    event["requestContext"]["authorizer"] = IDENTITIES[name]
    (function,) = [each for each in functions if f"{method} {path}" in each.routes]
    answer = ParsedResponse.read(function.handle(event))
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert everything(dynamodb) == [[], []]


def test_a_token_that_expires_while_its_answer_is_cached_is_refused(
    gateway: Gateway, issuer: Issuer, clock: FakeClock
) -> None:
    expires_at = clock.now // 1000 + 60
    token = issuer.token("ann", exp=expires_at)
    assert gateway.call("GET", "/jobs", token).status == 200
    clock.now = expires_at * 1000 - 1
    assert gateway.call("GET", "/jobs", token).status == 200
    clock.now = expires_at * 1000
    answer = gateway.call("GET", "/jobs", token)
    assert (answer.status, "expired" in answer.body["detail"]) == (401, True)


def test_head_is_identified_like_get(functions: list[Api], store: JobStore, clock: FakeClock) -> None:
    event = api_event("HEAD", f"/jobs/{add(store, clock, ANN).id}")
    assert functions[2].handle(event)["statusCode"] == 401
    for owner, status in ((ANN, 200), (BOB, 404)):
        event["requestContext"]["authorizer"] = {"owner": owner, "expires_at": str(clock.now + 1)}
        assert functions[2].handle(event)["statusCode"] == status


@pytest.mark.parametrize("path", ["/kinds", "/openapi.json"])
def test_the_documents_are_open(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, path: str
) -> None:
    monkeypatch.setattr("functions.read_jobs.handler.DOCUMENTS", tmp_path)
    for name in ("kinds.json", "openapi.json"):
        (tmp_path / name).write_text("{}")
    assert gateway.call("GET", path).status == 200
