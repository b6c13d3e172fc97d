"""Where changes come from: lines, and a queue of the relay's own."""

import asyncio
import json
import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.sse_relay.change import Change
from functions.sse_relay.feed import SqsFeed, StdinFeed
from tests.relay.conftest import change, job, run, until


def test_lines_become_changes_and_bad_lines_are_passed_over() -> None:
    async def test() -> None:
        got: list[Change] = []
        source, sink = os.pipe()
        feed = StdinFeed(source)
        await feed.start(got.append)
        first, second = (json.dumps(job(number).shown()).encode() for number in (1, 2))
        os.write(sink, first + b"\nrubbish\n" + second[:10])
        await until(lambda: len(got) == 1)
        os.write(sink, second[10:] + b"\n")
        await until(lambda: len(got) == 2)
        os.close(sink)
        assert got == [change(1), change(2)]

    run(test())


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any, str]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        sqs, sns = (boto3.client(name, region_name="us-east-1") for name in ("sqs", "sns"))
        yield sqs, sns, sns.create_topic(Name="changes")["TopicArn"]


def record(number: int, **image: Any) -> str:
    """A stream record, as the Pipe hands it on."""
    return json.dumps({"eventName": "INSERT", "dynamodb": {"NewImage": job(number).to_item(), **image}})


def test_a_relay_listens_to_the_topic_through_a_queue_of_its_own(aws: tuple[Any, Any, str]) -> None:
    sqs, sns, topic = aws

    async def test() -> None:
        got: list[Change] = []
        feed = SqsFeed(sqs, sns, topic, "CaloRelay-", wait_seconds=1)
        await feed.start(got.append)
        removed = json.dumps({"eventName": "REMOVE", "dynamodb": {"OldImage": {}}})
        newer = {**job(3).to_item(), "made_by_a_newer_version": {"S": "x"}}
        strange = record(2, NewImage={"pk": {"S": "x"}})
        for body in (record(1), removed, "no json", strange, record(3, NewImage=newer)):
            sns.publish(TopicArn=topic, Message=body)
        await until(lambda: len(got) == 2)
        assert {one.job_id for one in got} == {change(1).job_id, change(3).job_id}
        (url,) = sqs.list_queues()["QueueUrls"]
        policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
        (statement,) = json.loads(policy)["Statement"]
        assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": topic}}
        await feed.stop()

    run(test())
    assert sqs.list_queues().get("QueueUrls", []) == []
    assert sns.list_subscriptions()["Subscriptions"] == []


def test_two_relays_both_get_every_change(aws: tuple[Any, Any, str]) -> None:
    sqs, sns, topic = aws

    async def test() -> None:
        views: list[list[Change]] = [[], []]
        feeds = [SqsFeed(sqs, sns, topic, "CaloRelay-", wait_seconds=1) for _ in views]
        await asyncio.gather(*(feed.start(view.append) for feed, view in zip(feeds, views, strict=True)))
        sns.publish(TopicArn=topic, Message=record(1))
        await until(lambda: views == [[change(1)], [change(1)]])
        await asyncio.gather(*(feed.stop() for feed in feeds))

    run(test())
