"""`POST /live/tickets`: what it accepts, and what the tickets allow."""

import io
import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from functions.common.identity import Identity
from functions.common.observability import logger
from functions.common.tickets import ACCEPTED, SIGNING, Ticket, TicketKeys, fetch_keys, read_ticket
from functions.create_ticket import handler
from functions.create_ticket.create_ticket import TicketOffice
from tests.unit.factories import CONTEXT, ParsedResponse, api_event

NOW = 1_800_000_000_000
HOUR = 3_600_000
JOB = "3f2a4b66-7c8d-4e9f-8a1b-2c3d4e5f6a7b"
KEYS = TicketKeys(lambda: [("v1", b"key")])
OFFICE = TicketOffice(KEYS, lambda: NOW)


@pytest.mark.parametrize("is_operator", [False, True])
@pytest.mark.parametrize("jobs", [None, [JOB]])
def test_a_ticket_is_for_the_caller_and_for_a_minute(is_operator: bool, jobs: list[str] | None) -> None:
    identity = Identity("ann", "subject", is_operator, NOW + HOUR)
    answer = OFFICE.create_ticket(identity, jobs)
    assert answer["expires_at"] == NOW + 60_000
    expected = Ticket("ann", is_operator, jobs, NOW + 60_000, NOW + HOUR)
    assert read_ticket(answer["ticket"], KEYS, NOW) == expected


def test_a_ticket_is_not_valid_for_longer_than_the_token() -> None:
    assert OFFICE.create_ticket(Identity("ann", expires_at=NOW + 5), None)["expires_at"] == NOW + 5


# --- the call, behind the authorizer ---


OWNER = "0123456789abcdef0123456789abcdef"


def call(body: str | None = None, token_expires_at: int = 4 * 10**12) -> ParsedResponse:
    """Make the call as API Gateway passes it, with the authorizer's answer."""
    event = api_event("POST", "/live/tickets", body=body)
    context = {"owner": OWNER, "subject": "bob", "operator": "false", "expires_at": str(token_expires_at)}
    event["requestContext"]["authorizer"] = context
    return ParsedResponse.read(handler.handler(event, CONTEXT))


@pytest.fixture
def secrets(aws: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    client: Any = aws.client("secretsmanager")
    monkeypatch.setenv("AUTH", "oidc")
    monkeypatch.setenv("TICKET_SECRET", client.create_secret(Name="t", SecretString="key")["ARN"])
    yield client
    handler.create_ticket.cache_clear()  # type: ignore[attr-defined]


def test_the_call_answers_with_a_ticket_that_the_relay_accepts(secrets: Any) -> None:
    for _ in range(2):  # cold, then warm
        body = json.dumps({"jobs": [JOB.upper()]})
        response = call(body)
        assert response.status == 201
        assert response.headers["Cache-Control"] == "no-store"
        keys = TicketKeys(lambda: fetch_keys(secrets, "t", (SIGNING, ACCEPTED)))
        ticket = read_ticket(response.body["ticket"], keys, time.time_ns() // 1_000_000)
        assert (ticket.owner, ticket.jobs) == (OWNER, [JOB])
        assert ticket.expires_at == response.body["expires_at"]
        assert ticket.token_expires_at == 4 * 10**12


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("[]", "body"),
        ("{", "body"),
        ('{"job": "x"}', "job"),
        ('{"owner": "ann"}', "owner"),
        ('{"jobs": "x"}', "jobs"),
        ('{"jobs": null}', "jobs"),
        ('{"jobs": []}', "jobs"),
        (json.dumps({"jobs": [JOB] * 101}), "jobs"),
        (json.dumps({"jobs": [JOB, "x"]}), "jobs[1]"),
        (json.dumps({"jobs": [JOB.replace("-", "")]}), "jobs[0]"),
        ('{"jobs": [7]}', "jobs[0]"),
        ('{"jobs": ["\\ud800"]}', "jobs[0]"),
    ],
)
@pytest.mark.usefixtures("secrets")
def test_an_invalid_request_is_refused_and_the_field_named(body: str, field: str) -> None:
    response = call(body)
    assert response.status == 400
    assert response.body["errors"][0]["field"] == field


@pytest.mark.usefixtures("secrets")
def test_without_a_valid_token_there_is_no_ticket() -> None:
    event = api_event("POST", "/live/tickets")
    assert handler.handler(event, CONTEXT)["statusCode"] == 401
    assert call(token_expires_at=1).status == 401


@pytest.mark.usefixtures("secrets")
def test_the_ticket_is_not_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(logger.handlers[0], "stream", log)
    ticket = call().body["ticket"]
    assert "request answered" in log.getvalue()
    assert not [piece for piece in ticket.split(".")[1:] if piece in log.getvalue()]


def test_without_the_key_the_caller_is_asked_to_try_again(secrets: Any) -> None:
    secrets.delete_secret(SecretId="t", ForceDeleteWithoutRecovery=True)
    assert call().status == 503
