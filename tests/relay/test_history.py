"""What a new stream is sent first, read from a table of moto's."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.sse_relay.history import CAP, MAX_AGE_MS, OVERLAP_MS, MemoryHistory, TableHistory
from tests.relay.conftest import NOW, change, job, job_id, run


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName="jobs",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "list_shard", "AttributeType": "S"},
                {"AttributeName": "updated_at", "AttributeType": "N"},
            ],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-updated",
                    "KeySchema": [
                        {"AttributeName": "list_shard", "KeyType": "HASH"},
                        {"AttributeName": "updated_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
        )
        yield client


def put(dynamodb: Any, *numbers: int, updated_at: int = NOW) -> None:
    for number in numbers:
        dynamodb.put_item(TableName="jobs", Item=job(number, 2, updated_at=updated_at).to_item())


def history(dynamodb: Any, now: int = NOW) -> TableHistory:
    return TableHistory(dynamodb, "jobs", clock=lambda: now)


def test_named_jobs_are_read_as_they_are_now(dynamodb: Any) -> None:
    put(dynamodb, *range(150))
    found = run(history(dynamodb).current([job_id(n) for n in range(200)]))
    assert {one.job_id for one in found} == {job_id(n) for n in range(150)}
    assert {one.version for one in found} == {2}


def test_the_feed_resumes_with_some_overlap_oldest_first(dynamodb: Any) -> None:
    put(dynamodb, 1, updated_at=NOW - OVERLAP_MS - 1)
    put(dynamodb, 2, updated_at=NOW + 5)
    put(dynamodb, 3, updated_at=NOW - OVERLAP_MS)
    found = run(history(dynamodb).since(NOW))
    assert [one.job_id for one in found or []] == [job_id(3), job_id(2)]


def test_more_changes_than_the_cap_cannot_be_served(dynamodb: Any) -> None:
    put(dynamodb, *range(CAP))
    assert len(run(history(dynamodb).since(NOW)) or []) == CAP
    put(dynamodb, CAP)
    assert run(history(dynamodb).since(NOW)) is None


def test_a_cursor_of_the_day_before_cannot_be_served(dynamodb: Any) -> None:
    assert run(history(dynamodb, now=NOW + MAX_AGE_MS).since(NOW)) == []
    assert run(history(dynamodb, now=NOW + MAX_AGE_MS + 1).since(NOW)) is None


def test_memory_keeps_the_newest_state_of_each_job() -> None:
    memory = MemoryHistory()
    for one in (change(1, 1), change(2, 1), change(1, 2)):
        memory.remember(one)
    current = run(memory.current([job_id(1), job_id(9)]))
    assert [(one.job_id, one.version) for one in current] == [(job_id(1), 2)]
    assert len(run(memory.since(NOW)) or []) == 2


def test_memory_knows_what_it_has_forgotten() -> None:
    memory = MemoryHistory(keep=1)
    memory.remember(change(1, updated_at=NOW))
    memory.remember(change(2, updated_at=NOW + 1))
    assert run(memory.since(NOW)) is None
    assert run(memory.since(NOW + OVERLAP_MS + 1)) == [change(2, updated_at=NOW + 1)]
