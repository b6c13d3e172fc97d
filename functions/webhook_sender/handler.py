"""Handle notices about jobs that have ended, and call their webhooks."""

import os
import random
import time
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.clock import now_ms
from functions.common.deliveries import Deliveries
from functions.common.http.destinations import listed
from functions.common.http.download import Download
from functions.common.ledger import Ledger
from functions.common.observability import instrumented
from functions.common.queues import Queue, partial_failure
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.webhook_secrets import MasterKey, WebhookSecrets
from functions.webhook_sender.receivers import Receivers
from functions.webhook_sender.send_webhooks import TIMEOUT_SECONDS, WebhookSender


@dataclass(frozen=True)
class WebhookSenderSettings:
    """Environment variables.

    `webhook_key` is the id of the master key's secret. `webhook_private_hosts` lists each `host:port` that
    may be asked although it is not public, separated by commas.
    """

    ledger_table: str
    webhooks_queue_url: str
    dead_letter_queue_url: str
    webhook_key: str
    webhook_private_hosts: str


@at_start
def sender() -> WebhookSender:
    """Create the clients and read the settings, once per process."""
    settings = load(WebhookSenderSettings, os.environ)
    ledger = Ledger(boto3.client("dynamodb"), settings.ledger_table)
    sqs, secrets = boto3.client("sqs"), boto3.client("secretsmanager")
    key = MasterKey(lambda: secrets.get_secret_value(SecretId=settings.webhook_key)["SecretString"], now_ms)
    requests = Download(None, private=listed(settings.webhook_private_hosts), seconds=TIMEOUT_SECONDS)
    return WebhookSender(
        deliveries=Deliveries(ledger.webhooks("delivery")),
        receivers=Receivers(ledger.webhooks("receiver")),
        queue=Queue(sqs, settings.webhooks_queue_url),
        dead_letters=Queue(sqs, settings.dead_letter_queue_url),
        secrets=WebhookSecrets(ledger.webhooks("webhook-secret"), key, now_ms).active,
        post=requests.post,
        clock=now_ms,
        monotonic=time.monotonic,
        uniform=random.uniform,
    )


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch of SQS records. Return the messages that SQS must redeliver."""
    return partial_failure(sender().send(event["Records"]))
