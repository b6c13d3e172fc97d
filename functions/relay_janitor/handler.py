"""Called when a relay's task has ended, however it ended."""

import os
from dataclasses import dataclass
from typing import Any

import boto3

from functions.common.observability import observed
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.relay_janitor.remove_relay import RelayJanitor


@dataclass(frozen=True)
class Settings:
    """From the environment."""

    topic_arn: str
    queue_prefix: str


@at_start
def janitor() -> RelayJanitor:
    """Clients and settings, once per process."""
    settings = load(Settings, os.environ)
    return RelayJanitor(boto3.client("sqs"), boto3.client("sns"), settings.topic_arn, settings.queue_prefix)


@observed
def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda's entry: an event "ECS Task State Change".

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
    """
    janitor().remove(event["detail"]["taskArn"].rsplit("/", 1)[-1])
