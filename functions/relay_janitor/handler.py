"""Clean up after a relay's task has ended for any reason."""

import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.observability import instrumented
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.relay_janitor.remove_relay import RelayJanitor


@dataclass(frozen=True)
class RelayJanitorSettings:
    """Environment variables."""

    topic_arn: str
    queue_prefix: str


@at_start
def janitor() -> RelayJanitor:
    """Create the clients and read the settings, once per process."""
    settings = load(RelayJanitorSettings, os.environ)
    return RelayJanitor(boto3.client("sqs"), boto3.client("sns"), settings.topic_arn, settings.queue_prefix)


@instrumented
def handler(event: dict[str, Any], context: Any) -> None:
    """Handle an event "ECS Task State Change".

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
    """
    janitor().remove(event["detail"]["taskArn"].rsplit("/", 1)[-1])
