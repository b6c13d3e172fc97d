"""Handle the calls about webhooks: a job's deliveries, and the secret with which they are signed."""

import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.api import Api, ApiRequest, ApiResponse, Route, json_response, parse_job_id
from functions.common.clock import now_ms
from functions.common.deliveries import Deliveries
from functions.common.ledger import Ledger
from functions.common.observability import instrumented, logger
from functions.common.queues import Queue
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore
from functions.common.webhook_secrets import MasterKey, WebhookSecrets
from functions.webhooks.deliveries import DeliveryDesk


@dataclass(frozen=True)
class WebhooksSettings:
    """Environment variables. `auth` is `none` without sign-in.

    `webhook_key` is the id of the master key's secret.
    """

    auth: str
    jobs_table: str
    ledger_table: str
    webhooks_queue_url: str
    webhook_key: str


@dataclass(frozen=True)
class Webhooks:
    """What the calls need."""

    desk: DeliveryDesk
    secrets: WebhookSecrets


def handle_list_deliveries(request: ApiRequest, webhooks: Webhooks) -> ApiResponse:
    """Return the latest attempts to deliver a job's webhook."""
    return json_response(200, webhooks.desk.list(parse_job_id(request.path["id"]), request.identity))


def handle_send_again(request: ApiRequest, webhooks: Webhooks) -> ApiResponse:
    """Return `202`: the webhook will be sent again."""
    return json_response(202, webhooks.desk.send_again(parse_job_id(request.path["id"]), request.identity))


def handle_get_secret(request: ApiRequest, webhooks: Webhooks) -> ApiResponse:
    """Return the caller's own secret. Operators see no other."""
    return json_response(200, {"secret": webhooks.secrets.active(request.identity.owner)[0]})


def handle_rotate_secret(request: ApiRequest, webhooks: Webhooks) -> ApiResponse:
    """Replace the caller's secret, and return the new one."""
    secret, *_ = webhooks.secrets.rotate(request.identity.owner)
    logger.info("webhook secret replaced", extra={"owner": request.identity.owner})
    return json_response(200, {"secret": secret})


ROUTES: dict[str, Route] = {
    "GET /jobs/{id}/deliveries": handle_list_deliveries,
    "POST /jobs/{id}/deliveries": handle_send_again,
    "GET /webhooks/secret": handle_get_secret,
    "POST /webhooks/secret": handle_rotate_secret,
}


@at_start
def webhooks() -> Api:
    """Create the clients and read the settings, once per process."""
    settings = load(WebhooksSettings, os.environ)
    dynamodb, secrets = boto3.client("dynamodb"), boto3.client("secretsmanager")
    ledger = Ledger(dynamodb, settings.ledger_table)
    key = MasterKey(lambda: secrets.get_secret_value(SecretId=settings.webhook_key)["SecretString"], now_ms)
    desk = DeliveryDesk(
        JobStore(dynamodb, settings.jobs_table),
        Deliveries(ledger.webhooks("delivery")),
        Queue(boto3.client("sqs"), settings.webhooks_queue_url),
        now_ms,
    )
    own = WebhookSecrets(ledger.webhooks("webhook-secret"), key, now_ms)
    return Api(ROUTES, Webhooks(desk, own), settings.auth)


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle an event of API Gateway."""
    return webhooks().handle(event)
