"""Handle `POST /live/tickets`, which exists only with sign-in."""

import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.api import Api, ApiRequest, ApiResponse, Route, json_response
from functions.common.clock import now_ms
from functions.common.observability import instrumented
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.tickets import SIGNING, TicketKeys, fetch_keys
from functions.create_ticket.create_ticket import TicketOffice, parse_ticket_request


@dataclass(frozen=True)
class CreateTicketSettings:
    """Environment variables. `ticket_secret` is the ARN of the secret with the key of tickets."""

    auth: str
    ticket_secret: str


def handle_create_ticket(request: ApiRequest, office: TicketOffice) -> ApiResponse:
    """Return `201` and the ticket."""
    jobs = parse_ticket_request(request.body)
    return json_response(201, office.create_ticket(request.identity, jobs))


ROUTES: dict[str, Route] = {"POST /live/tickets": handle_create_ticket}


@at_start
def create_ticket() -> Api:
    """Create the client and read the settings, once per process."""
    settings = load(CreateTicketSettings, os.environ)
    secrets = boto3.client("secretsmanager")
    keys = TicketKeys(lambda: fetch_keys(secrets, settings.ticket_secret, (SIGNING,)))
    return Api(ROUTES, TicketOffice(keys, now_ms), settings.auth)


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle an event of API Gateway."""
    return create_ticket().handle(event)
