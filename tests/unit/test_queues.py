import json

import pytest

from functions.common.queues import OutgoingMessage, partial_failure
from tests.unit.fakes import Queues
from tests.unit.faults import refuse_entry, refused, watch


def test_a_delayed_message_is_not_delivered_immediately(queues: Queues) -> None:
    queues.jobs.send('"now"')
    queues.jobs.send('"later"', delay=900)
    assert queues.jobs.bodies() == ["now"]


def test_messages_are_sent_in_batches_of_ten(queues: Queues) -> None:
    calls = watch(queues.sqs, "SendMessageBatch")
    messages = [OutgoingMessage(f"m{number}", str(number), delay=number % 2) for number in range(23)]
    assert queues.jobs.send_all(messages) == set()
    assert [len(call["Entries"]) for call in calls] == [10, 10, 3]
    sent = [(entry["MessageBody"], entry["DelaySeconds"]) for call in calls for entry in call["Entries"]]
    assert sent == [(message.body, message.delay) for message in messages]


def test_only_the_source_of_a_refused_entry_is_returned(queues: Queues) -> None:
    refuse_entry(queues.sqs, 1)
    assert queues.jobs.send_all(
        [OutgoingMessage("a", "1"), OutgoingMessage("b", "2"), OutgoingMessage("c", "3")]
    ) == {"b"}


def test_a_failed_call_affects_only_its_own_batch(queues: Queues) -> None:
    messages = [OutgoingMessage(f"m{number}", str(number)) for number in range(12)]
    with (
        refused(queues.sqs, "SendMessageBatch", only=b'"MessageBody": "3"'),
        refused(queues.sqs, "SendMessage"),
    ):
        assert queues.jobs.send_all(messages) == {f"m{number}" for number in range(10)}
    assert queues.jobs.bodies() == [10, 11]


@pytest.mark.parametrize(("seconds", "seen"), [(0, 1), (60, 0)])
def test_a_message_is_redelivered_after_its_backoff(queues: Queues, seconds: int, seen: int) -> None:
    queues.jobs.send("{}")
    [record] = queues.jobs.records()
    with refused(queues.sqs, "ChangeMessageVisibility"):
        queues.jobs.retry_in(record["receiptHandle"], 0)
    assert queues.jobs.records() == []
    queues.jobs.retry_in(record["receiptHandle"], seconds)
    assert len(queues.jobs.records()) == seen


def test_a_queue_is_empty_without_waiting_or_inflight_messages(queues: Queues) -> None:
    assert queues.jobs.is_empty()
    queues.jobs.send("{}")
    assert not queues.jobs.is_empty()
    assert len(queues.jobs.records()) == 1
    assert not queues.jobs.is_empty()
    queues.results.send("{}", delay=900)
    assert queues.results.is_empty()


def test_a_partial_failure_lists_each_message_once() -> None:
    expected = '{"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "a"}]}'
    assert json.dumps(partial_failure(["b", "a", "b"])) == expected
    assert partial_failure([]) == {"batchItemFailures": []}
