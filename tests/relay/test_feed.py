"""The sources of changes: lines, and a queue that the relay creates."""

import asyncio
import json
import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.sse_relay import feed as feed_module
from functions.sse_relay.feed import LineFeed, SqsFeed
from functions.sse_relay.job_change import JobChange
from tests.relay.conftest import change, job, run, until

reports: list[str] = []


def report(place: str, _: str, reason: Exception) -> None:
    reports.append(f"{place}: {reason}")


def fail_on_end() -> None:
    raise AssertionError("the feed ended")


def test_lines_become_changes_and_invalid_lines_are_ignored() -> None:
    async def test() -> None:
        received: list[JobChange] = []
        ended = asyncio.Event()
        source, sink = os.pipe()
        feed = LineFeed(report, source)
        await feed.start(received.extend, ended.set)
        first, second, third = (change(number).to_line() for number in (1, 2, 3))
        os.write(sink, first + b"\nrubbish\n" + second[:10])
        await until(lambda: len(received) == 1)
        os.write(sink, second[10:] + b"\n" + third + b"\n")
        await until(lambda: len(received) == 3)
        assert received == [change(1), change(2), change(3)]
        assert not ended.is_set()
        os.close(sink)
        await ended.wait()
        await feed.stop()
        os.close(source)

    run(test())


def test_empty_lines_are_skipped_giant_ones_reported_once_and_the_last_needs_no_newline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_module, "MAX_LINE", 100_000)
    reports.clear()

    async def test() -> None:
        received: list[JobChange] = []
        ended = asyncio.Event()
        source, sink = os.pipe()
        feed = LineFeed(report, source)
        await feed.start(received.extend, ended.set)
        giant = b"x" * 1_000_000
        text = b"\n\r\n" + change(1).to_line() + b"\n" + giant + b"\n" + change(2).to_line()
        await asyncio.to_thread(write_all, sink, text)
        os.close(sink)
        await ended.wait()
        await feed.stop()
        os.close(source)
        assert received == [change(1), change(2)]
        assert reports == ["input: a line of more than 100000 bytes"]

    run(test())


def write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any, str]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        sqs, sns = (boto3.client(name, region_name="us-east-1") for name in ("sqs", "sns"))
        yield sqs, sns, sns.create_topic(Name="changes")["TopicArn"]


def item(number: int) -> dict[str, Any]:
    """Return a job's item in the table."""
    return job(number, correlation_id="request-1").to_item()


def record(number: int, **image: Any) -> str:
    """Return a stream record, as the Pipe publishes it."""
    return json.dumps({"eventName": "INSERT", "dynamodb": {"NewImage": item(number), **image}})


def logged_changes(caplog: pytest.LogCaptureFixture) -> dict[str, dict[str, Any]]:
    """Return the log fields of each job's change."""
    lines = [line for line in caplog.records if line.getMessage() == "changes received"]
    changes = [dict(fields) for line in lines for fields in line.changes]  # type: ignore[attr-defined]
    return {fields.pop("job_id"): fields for fields in changes}


def test_a_relay_receives_changes_through_its_own_queue_and_deletes_it(
    aws: tuple[Any, Any, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    sqs, sns, topic = aws

    async def test() -> None:
        received: list[JobChange] = []
        feed = SqsFeed(sqs, sns, topic, "CaloRelay-1", on_damaged=report, wait_seconds=1)
        await feed.start(received.extend, fail_on_end)
        removed = json.dumps({"eventName": "REMOVE", "dynamodb": {"OldImage": {}}})
        newer = {**item(3), "made_by_a_newer_version": {"S": "x"}}
        strange = record(2, NewImage={"pk": {"S": "x"}})
        for body in (record(1), removed, "no json", strange, record(3, NewImage=newer)):
            sns.publish(TopicArn=topic, Message=body)
        both = {change(1).job_id, change(3).job_id}
        await until(lambda: {change.job_id for change in received} == both)
        await until(lambda: set(logged_changes(caplog)) == both)
        (url,) = sqs.list_queues()["QueueUrls"]
        policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
        (statement,) = json.loads(policy)["Statement"]
        assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": topic}}
        await feed.stop()

    run(test())
    assert sqs.list_queues().get("QueueUrls", []) == []
    assert sns.list_subscriptions()["Subscriptions"] == []
    for fields in logged_changes(caplog).values():
        assert fields == {"correlation_id": "request-1", "status": "pending", "version": 1}


def test_a_damaged_message_does_not_affect_the_others_of_its_batch(aws: tuple[Any, Any, str]) -> None:
    sqs, sns, topic = aws
    damages: list[dict[str, Any]] = [
        {"version": {"N": "seven"}},
        {"version": {"N": "9" * 41}},
        {"created_at": {"N": "1.5"}},
        {"input": {"S": '{"text": "\ud800"}'}},
        {"input": {"S": r'{"text": "\ud800"}'}},
        {"input": {"S": '{"number": 1e400}'}},
        {"input": {"M": {}}},
        {"output": {"S": "[]"}},
        {"output": {"N": "1"}},
        {"progress": {"M": {"fraction": {"S": "0.5"}, "message": {"NULL": True}}}},
        {"progress": {"M": {"fraction": {"N": "0.5"}}}},
        {"error": {"SS": ["a"]}},
    ]
    damaged = [record(2, NewImage={**item(2), **damage}) for damage in damages]

    async def test() -> None:
        received: list[JobChange] = []
        feed = SqsFeed(sqs, sns, topic, "CaloRelay-1", on_damaged=report, wait_seconds=1)
        reports.clear()
        await feed.start(received.extend, fail_on_end)
        for body in (record(1), *damaged, record(3)):
            sns.publish(TopicArn=topic, Message=body)
        await until(lambda: {item.job_id for item in received} == {change(1).job_id, change(3).job_id})
        await until(lambda: len(reports) == len(damaged))
        assert feed.is_alive()
        await feed.stop()

    run(test())


def test_a_poller_survives_any_error_and_a_feed_that_receives_nothing_is_not_alive(
    aws: tuple[Any, Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs, sns, topic = aws
    errors: list[Exception] = [ZeroDivisionError("a bug") for _ in range(4)]
    monkeypatch.setattr(feed_module, "PAUSE_SECONDS", 0.01)

    class Failing:
        def __getattr__(self, name: str) -> Any:
            return getattr(sqs, name)

        def receive_message(self, **arguments: Any) -> Any:
            if errors:
                raise errors.pop()
            return sqs.receive_message(**arguments)

    async def test() -> None:
        received: list[JobChange] = []
        feed = SqsFeed(Failing(), sns, topic, "CaloRelay-1", on_damaged=report, wait_seconds=1)  # type: ignore[arg-type]
        await feed.start(received.extend, fail_on_end)
        sns.publish(TopicArn=topic, Message=record(1))
        await until(lambda: received == [change(1)])
        assert feed.is_alive()
        monkeypatch.setattr(feed_module, "ALIVE_SECONDS", -1)
        assert not feed.is_alive()
        await feed.stop()

    run(test())


def test_every_relay_receives_every_change(aws: tuple[Any, Any, str]) -> None:
    sqs, sns, topic = aws

    async def test() -> None:
        views: list[list[JobChange]] = [[], []]
        feeds = [
            SqsFeed(sqs, sns, topic, f"CaloRelay-{number}", on_damaged=report, wait_seconds=1)
            for number in range(2)
        ]
        for feed, view in zip(feeds, views, strict=True):
            await feed.start(view.extend, fail_on_end)
        sns.publish(TopicArn=topic, Message=record(1))
        await until(lambda: all(change(1) in view for view in views))
        await asyncio.gather(*(feed.stop() for feed in feeds))

    run(test())


def test_a_relay_reuses_the_queue_of_an_earlier_relay_of_the_same_name(aws: tuple[Any, Any, str]) -> None:
    sqs, sns, topic = aws

    async def test() -> None:
        feeds = [SqsFeed(sqs, sns, topic, "CaloRelay-1", on_damaged=report, wait_seconds=1) for _ in range(2)]
        for feed in feeds:  # the second starts before the first is stopped
            await feed.start(list[JobChange]().extend, fail_on_end)
        assert len(sqs.list_queues()["QueueUrls"]) == 1
        assert len(sns.list_subscriptions()["Subscriptions"]) == 1
        for feed in feeds:
            await feed.stop()

    run(test())
