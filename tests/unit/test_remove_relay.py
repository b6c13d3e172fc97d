"""Only the queue and the subscription of a stopped relay are deleted."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.common.observability import metrics
from functions.relay_janitor import handler
from tests.unit.factories import CONTEXT


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any, str]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        sqs, sns = boto3.client("sqs"), boto3.client("sns")
        topic = sns.create_topic(Name=f"changes-{uuid.uuid4()}")["TopicArn"]
        monkeypatch.setenv("TOPIC_ARN", topic)
        monkeypatch.setenv("QUEUE_PREFIX", "CaloRelay-")
        metrics.clear_metrics()
        yield sqs, sns, topic
    handler.janitor.cache_clear()  # type: ignore[attr-defined]


def subscribe(sqs: Any, sns: Any, topic: str, name: str) -> str:
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return str(url)


def task_stopped(task: str) -> dict[str, Any]:
    arn = f"arn:aws:ecs:us-east-1:123456789012:task/CaloLive-Cluster/{task}"
    return {"detail-type": "ECS Task State Change", "detail": {"taskArn": arn, "lastStatus": "STOPPED"}}


def test_only_the_queue_and_subscription_of_the_ended_task_are_deleted(
    aws: tuple[Any, Any, str], capsys: pytest.CaptureFixture[str]
) -> None:
    sqs, sns, topic = aws
    subscribe(sqs, sns, topic, "CaloRelay-dead")
    alive = subscribe(sqs, sns, topic, "CaloRelay-alive")
    for _ in range(2):
        handler.handler(task_stopped("dead"), CONTEXT)
    handler.handler(task_stopped("stopped-properly"), CONTEXT)
    assert sqs.list_queues(QueueNamePrefix="CaloRelay-")["QueueUrls"] == [alive]
    (subscription,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert subscription["Endpoint"].endswith(":CaloRelay-alive")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["OrphansRemoved"] for line in lines if "_aws" in line] == [[2.0]]


def test_a_subscription_without_a_queue_is_deleted(aws: tuple[Any, Any, str]) -> None:
    sqs, sns, topic = aws
    sqs.delete_queue(QueueUrl=subscribe(sqs, sns, topic, "CaloRelay-dead"))
    handler.handler(task_stopped("dead"), CONTEXT)
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
