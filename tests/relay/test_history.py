"""What a new stream is sent first, read from a table of moto's."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from functions.sse_relay import history as history_module
from functions.sse_relay.change import Change
from functions.sse_relay.history import MAX_AGE_MS, OVERLAP_MS, STEP_MS, MemoryHistory, TableHistory
from functions.sse_relay.hub import Hub
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


class Reads:
    """Counts the calls to the table."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def history(
    dynamodb: Any, now: int = NOW, hub: Hub | None = None, reads: Reads | None = None
) -> TableHistory:
    return TableHistory(dynamodb, "jobs", hub or Hub(lambda: 0.0), lambda: now, reads or Reads())


async def since(dynamodb: Any, cursor: int, now: int = NOW) -> Sequence[Change] | None:
    past = await history(dynamodb, now).since(cursor)
    return past.changes if past else None


def test_named_jobs_are_read_as_they_are_now(dynamodb: Any) -> None:
    put(dynamodb, *range(150))

    async def test() -> None:
        past = await history(dynamodb).current([job_id(n) for n in range(200)])
        assert {one.job_id for one in past.changes} == {job_id(n) for n in range(150)}
        assert {one.version for one in past.changes} == {2}

    run(test())


def test_the_feed_resumes_with_some_overlap_oldest_first(dynamodb: Any) -> None:
    cursor = NOW - NOW % STEP_MS + 1
    put(dynamodb, 1, updated_at=cursor - OVERLAP_MS - 2)
    put(dynamodb, 2, updated_at=cursor + 5)
    put(dynamodb, 3, updated_at=cursor - OVERLAP_MS)
    found = run(since(dynamodb, cursor))
    assert [one.job_id for one in found or []] == [job_id(3), job_id(2)]


def test_more_changes_than_the_cap_cannot_be_served(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "CAP", 20)
    put(dynamodb, *range(20))
    assert len(run(since(dynamodb, NOW)) or []) == 20
    put(dynamodb, 20)
    assert run(since(dynamodb, NOW)) is None


def test_a_cursor_of_the_day_before_cannot_be_served(dynamodb: Any) -> None:
    assert run(since(dynamodb, NOW, now=NOW + MAX_AGE_MS)) == []
    assert run(since(dynamodb, NOW, now=NOW + MAX_AGE_MS + 1)) is None


def test_five_thousand_clients_at_once_are_a_handful_of_reads(dynamodb: Any) -> None:
    put(dynamodb, *range(150))
    reads = Reads()

    async def test() -> None:
        table = history(dynamodb, reads=reads)
        feeds = [table.since(NOW + number % 2000) for number in range(2500)]
        named = [table.current([job_id(number % 200)]) for number in range(2500)]
        pasts = await asyncio.gather(*feeds, *named)
        assert all(past and len(past.changes) == 150 for past in pasts[:2500])
        assert [len(past.changes) if past else None for past in pasts[2500:2700]] == [1] * 150 + [0] * 50

    run(test())
    assert reads.count <= 15


@pytest.fixture
def kept_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is good for others however slow the machine is."""
    monkeypatch.setattr(history_module, "KEPT_SECONDS", 60.0)


@pytest.mark.usefixtures("kept_for_long")
def test_jobs_asked_for_one_by_one_are_read_a_hundred_at_a_time(dynamodb: Any) -> None:
    put(dynamodb, 1)
    reads = Reads()

    async def test() -> None:
        table = history(dynamodb, reads=reads)
        await asyncio.gather(*(table.current([job_id(number)]) for number in range(2000)))
        assert reads.count == 20
        await table.current([job_id(1)])
        assert reads.count == 20  # good for a moment
        table._forget(asyncio.get_running_loop().time())
        await table.current([job_id(1)])
        assert reads.count == 21

    run(test())


@pytest.mark.usefixtures("kept_for_long")
def test_who_shares_a_reading_is_told_what_came_since_it_began(dynamodb: Any) -> None:
    put(dynamodb, 1)

    async def test() -> None:
        hub = Hub(asyncio.get_running_loop().time)
        table = history(dynamodb, hub=hub)
        first = await table.current([job_id(1)])
        hub.publish([change(1, 3)])
        second = await table.current([job_id(1)])
        assert (first.position, second.position, hub.position) == (0, 0, 1)
        assert second.changes[0].version == 2

    run(test())


def test_what_the_index_may_not_have_yet_is_taken_from_the_ring(dynamodb: Any) -> None:
    async def test() -> None:
        hub = Hub(asyncio.get_running_loop().time)
        table = history(dynamodb, hub=hub)
        hub.publish([change(1)])
        past = await table.since(NOW)
        assert past is not None
        assert past.position == 0

    run(test())


def test_what_was_read_is_not_followed_by_what_is_older(dynamodb: Any) -> None:
    put(dynamodb, 1)

    async def test() -> None:
        hub = Hub(asyncio.get_running_loop().time)
        await history(dynamodb, hub=hub).current([job_id(1)])
        assert hub.publish([change(1, 1), change(1, 2)]) == [change(1, 2)]

    run(test())


def test_who_stops_waiting_takes_nothing_from_the_others(dynamodb: Any) -> None:
    put(dynamodb, 1)

    async def test() -> None:
        table = history(dynamodb)
        for feed in (False, True):
            leaves, stays = (
                asyncio.create_task(table.since(NOW) if feed else table.current([job_id(1)]))
                for _ in range(2)
            )
            await asyncio.sleep(0)
            leaves.cancel()
            past = await stays
            assert past is not None
            assert len(past.changes) == 1
            assert leaves.cancelled()

    run(test())


def test_a_reading_that_fails_fails_for_all_who_share_it_and_is_not_remembered(dynamodb: Any) -> None:
    put(dynamodb, 1)
    failures = [ClientError({"Error": {"Code": "Throttled"}}, "BatchGetItem")]

    class Failing:
        def batch_get_item(self, **request: Any) -> Any:
            if failures:
                raise failures.pop()
            return dynamodb.batch_get_item(**request)

    async def test() -> None:
        table = history(Failing())
        both = await asyncio.gather(*(table.current([job_id(1)]) for _ in range(2)), return_exceptions=True)
        assert [type(one) for one in both] == [ClientError, ClientError]
        assert len((await table.current([job_id(1)])).changes) == 1

    run(test())


def test_memory_keeps_the_newest_state_of_each_job() -> None:
    memory = MemoryHistory(Hub(lambda: 0.0), clock=lambda: 0)
    memory.remember([change(1, 1), change(2, 1), change(1, 2)])

    async def test() -> None:
        current = await memory.current([job_id(1), job_id(9)])
        assert [(one.job_id, one.version) for one in current.changes] == [(job_id(1), 2)]
        past = await memory.since(NOW)
        assert past is not None
        assert len(past.changes) == 2

    run(test())


def test_memory_knows_nothing_of_the_time_before_it() -> None:
    memory = MemoryHistory(Hub(lambda: 0.0), clock=lambda: NOW)
    assert run(memory.since(NOW + OVERLAP_MS)) is None
    assert run(memory.since(NOW + OVERLAP_MS + 1)) is not None


def test_memory_knows_what_it_has_forgotten() -> None:
    memory = MemoryHistory(Hub(lambda: 0.0), keep=1, clock=lambda: 0)
    memory.remember([change(1, updated_at=NOW), change(2, updated_at=NOW + 1)])
    assert run(memory.since(NOW)) is None
    past = run(memory.since(NOW + OVERLAP_MS + 1))
    assert past is not None
    assert past.changes == [change(2, updated_at=NOW + 1)]
