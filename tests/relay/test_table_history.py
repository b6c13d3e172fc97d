"""The backlog of a new stream, read from a table in moto."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from functions.common.store import JobStore
from functions.sse_relay.history import table as history_module
from functions.sse_relay.history.table import STEP_MS, TableHistory
from functions.sse_relay.hub import Hub
from functions.sse_relay.job_change import JobChange
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
                {"AttributeName": "changed_at", "AttributeType": "N"},
            ],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-updated",
                    "KeySchema": [
                        {"AttributeName": "list_shard", "KeyType": "HASH"},
                        {"AttributeName": "changed_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
        )
        yield client


def put(dynamodb: Any, *numbers: int, updated_at: int = NOW, **fields: Any) -> None:
    for number in numbers:
        dynamodb.put_item(TableName="jobs", Item=job(number, 2, updated_at=updated_at, **fields).to_item())


class Reads:
    """Counts the calls to the table."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def history(
    dynamodb: Any, now: int = NOW, hub: Hub | None = None, reads: Reads | None = None
) -> TableHistory:
    return TableHistory(
        JobStore(dynamodb, "jobs"), hub or Hub(lambda: 0.0, "relay"), lambda: now, reads or Reads()
    )


async def since(dynamodb: Any, start: int) -> Sequence[JobChange] | None:
    backlog = await history(dynamodb).since("public", start)
    return backlog.changes if backlog else None


def test_requested_jobs_are_read_in_their_current_state(dynamodb: Any) -> None:
    put(dynamodb, *range(150))

    async def test() -> None:
        backlog = await history(dynamodb).current([job_id(n) for n in range(200)])
        assert {change.job_id for change in backlog.changes} == {job_id(n) for n in range(150)}
        assert {change.version for change in backlog.changes} == {2}

    run(test())


def test_all_changes_since_a_time_are_read_oldest_first(dynamodb: Any) -> None:
    start = NOW - NOW % STEP_MS
    put(dynamodb, 1, updated_at=start - 1)
    put(dynamodb, 2, updated_at=start + 5)
    put(dynamodb, 3, updated_at=start)
    changes = run(since(dynamodb, start + 1))  # the step in which it is
    assert [change.job_id for change in changes or []] == [job_id(3), job_id(2)]


def test_an_event_read_from_the_table_has_an_id_without_a_position(dynamodb: Any) -> None:
    put(dynamodb, 1)
    (change,) = run(since(dynamodb, NOW)) or []
    assert b"id: %d.relay\n" % NOW in change.chunk


def test_the_index_is_not_read_beyond_the_limit(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "MAX_CHANGES", 20)
    put(dynamodb, *range(200))
    queries: list[int] = []
    dynamodb.meta.events.register(
        "provide-client-params.dynamodb.Query", lambda params, **_: queries.append(params["Limit"])
    )
    assert run(since(dynamodb, NOW)) is None
    assert queries == [21] * 4


def test_more_changes_than_the_limit_cannot_be_served(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "MAX_CHANGES", 20)
    put(dynamodb, *range(20))
    assert len(run(since(dynamodb, NOW)) or []) == 20
    put(dynamodb, 20)
    assert run(since(dynamodb, NOW)) is None


def test_more_bytes_than_the_limit_cannot_be_served(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(dynamodb, 1, 2)
    changes = run(since(dynamodb, NOW)) or []
    monkeypatch.setattr(history_module, "MAX_BYTES", sum(len(change.chunk) for change in changes))
    assert len(run(since(dynamodb, NOW)) or []) == 2
    put(dynamodb, 3)
    assert run(since(dynamodb, NOW)) is None


def test_five_thousand_concurrent_clients_share_a_few_reads(dynamodb: Any) -> None:
    put(dynamodb, *range(150))
    reads = Reads()

    async def test() -> None:
        table = history(dynamodb, reads=reads)
        feeds = [table.since("public", NOW + number % 2000) for number in range(2500)]
        named = [table.current([job_id(number % 200)]) for number in range(2500)]
        backlogs = await asyncio.gather(*feeds, *named)
        assert all(backlog and len(backlog.changes) == 150 for backlog in backlogs[:2500])
        sizes = [len(backlog.changes) if backlog else None for backlog in backlogs[2500:2700]]
        assert sizes == [1] * 150 + [0] * 50

    run(test())
    assert reads.count <= 15


@pytest.fixture
def long_reuse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results are reused however slow the machine is."""
    monkeypatch.setattr(history_module, "REUSE_SECONDS", 60.0)


@pytest.mark.usefixtures("long_reuse")
def test_single_jobs_are_read_a_hundred_at_a_time(dynamodb: Any) -> None:
    put(dynamodb, 1)
    reads = Reads()

    async def test() -> None:
        table = history(dynamodb, reads=reads)
        await asyncio.gather(*(table.current([job_id(number)]) for number in range(2000)))
        assert reads.count == 20
        await table.current([job_id(1)])
        assert reads.count == 20  # the result is reused
        table._discard_states(asyncio.get_running_loop().time())
        await table.current([job_id(1)])
        assert reads.count == 21

    run(test())


@pytest.mark.usefixtures("long_reuse")
def test_a_reused_result_has_the_position_before_its_read(dynamodb: Any) -> None:
    put(dynamodb, 1)

    async def test() -> None:
        hub = Hub(asyncio.get_running_loop().time, "relay")
        table = history(dynamodb, hub=hub)
        first = await table.current([job_id(1)])
        hub.publish([change(1, 3)])
        second = await table.current([job_id(1)])
        assert first.position == second.position < hub.position
        assert second.changes[0].version == 2

    run(test())


def test_changes_that_the_index_may_not_have_yet_are_taken_from_the_ring(dynamodb: Any) -> None:
    async def test() -> None:
        hub = Hub(asyncio.get_running_loop().time, "relay")
        table = history(dynamodb, hub=hub)
        hub.publish([change(1)])
        backlog = await table.since("public", NOW)
        assert backlog is not None
        assert backlog.position == 0, "before the change"

    run(test())


def test_a_version_that_was_read_is_not_followed_by_an_older_one(dynamodb: Any) -> None:
    put(dynamodb, 1)

    async def test() -> None:
        hub = Hub(asyncio.get_running_loop().time, "relay")
        await history(dynamodb, hub=hub).current([job_id(1)])
        assert [change.version for change in hub.publish([change(1, 1), change(1, 2)])] == [2]

    run(test())


def test_a_cancelled_request_does_not_cancel_a_shared_read(dynamodb: Any) -> None:
    put(dynamodb, 1)

    async def test() -> None:
        table = history(dynamodb)
        for feed in (False, True):
            cancelled, waiting = (
                asyncio.create_task(table.since("public", NOW) if feed else table.current([job_id(1)]))
                for _ in range(2)
            )
            await asyncio.sleep(0)
            cancelled.cancel()
            backlog = await waiting
            assert backlog is not None
            assert len(backlog.changes) == 1
            assert cancelled.cancelled()

    run(test())


def test_a_failed_read_fails_for_all_that_share_it_and_is_not_reused(dynamodb: Any) -> None:
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
        assert [type(error) for error in both] == [ClientError, ClientError]
        assert len((await table.current([job_id(1)])).changes) == 1

    run(test())
