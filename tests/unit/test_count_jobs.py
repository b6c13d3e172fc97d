from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from functions.common.errors import WriteConflict
from functions.common.identity import ALL_OWNERS
from functions.common.job import Job
from functions.common.ledger import Ledger
from functions.job_counter.count_jobs import JobCounter
from tests.unit.factories import make_job, stream_record
from tests.unit.faults import on_call, refused, watch

Record = dict[str, Any]


@pytest.fixture
def counter(ledger: Ledger) -> JobCounter:
    return JobCounter(ledger)


def counts(counter: JobCounter, owner: str = "public") -> dict[str, int]:
    """Return the counts that are not zero."""
    return {status: n for status, n in counter.ledger.counts(owner).by_status().items() if n}


def history(*statuses: Any, **values: Any) -> list[Record]:
    """Return the stream records of a job with these successive statuses; `gone` is its removal."""
    job = make_job(**values)
    states: list[Job | None] = [None]
    for version, status in enumerate(statuses, 1):
        states.append(None if status == "gone" else replace(job, status=status, version=version))
    return [stream_record(old=old, new=new) for old, new in pairwise(states)]


FIRST, SECOND, THIRD = HISTORY = history("pending", "error", "resolved")


@pytest.mark.parametrize(
    "batches",
    [
        [[FIRST], [SECOND], [THIRD]],
        [[FIRST, SECOND, THIRD]],
        [HISTORY, HISTORY],
        [[FIRST, FIRST], [SECOND, THIRD, THIRD]],
        [[FIRST, SECOND], [FIRST], [SECOND, THIRD]],
        [[THIRD, FIRST, SECOND]],
        [[THIRD], [SECOND], [FIRST]],
    ],
    ids=["one by one", "at once", "twice", "doubled", "bisected", "mixed", "backwards"],
)
def test_a_job_is_counted_once_under_its_last_status(
    counter: JobCounter, batches: list[list[Record]]
) -> None:
    for batch in batches:
        counter.count(batch)
    assert counts(counter) == {"resolved": 1}


def test_counts_follow_every_change_of_a_job(counter: JobCounter) -> None:
    seen = []
    for record in history("pending", "error", "pending", "cancelled", "gone"):
        counter.count([record])
        seen.append(counts(counter))
    assert seen == [{"pending": 1}, {"error": 1}, {"pending": 1}, {"cancelled": 1}, {}]


def test_counts_are_exact_for_any_order_of_repeated_batches(counter: JobCounter) -> None:
    ways = [["pending"], ["pending", "resolved"], ["pending", "error"], ["pending", "resolved", "gone"]]
    records = [record for way in ways * 3 for record in history(*way)]
    random = Random(1)
    for _ in range(25):
        counter.count(random.sample(records, k=random.randrange(1, 9)))
    counter.count(records)
    assert counts(counter) == {"pending": 3, "resolved": 3, "error": 3}


def test_a_late_record_of_a_removed_job_is_not_counted(counter: JobCounter, dynamodb: Any) -> None:
    records = history("pending", "resolved", "gone", id="j", created_at=1, expires_at=60)
    counter.count(records)
    counter.count(records[:2])
    assert counts(counter) == {}
    mark = dynamodb.get_item(TableName="ledger", Key={"pk": {"S": "mark#j"}})["Item"]
    assert int(mark["expires_at"]["N"]) > 60 + 24 * 3600
    counter.count(history("pending", id="j", created_at=2))
    counter.count(records)
    assert counts(counter) == {"pending": 1}


def test_internal_updates_do_not_change_counts(counter: JobCounter, dynamodb: Any) -> None:
    job = make_job()
    counter.count([stream_record(new=job)])
    writes = watch(dynamodb, "TransactWriteItems")
    progress: Any = {"fraction": 0.25, "message": "a quarter"}
    for change in ({"wake_at": 5}, {"due_at": 5, "parked": True}, {"progress": progress, "version": 2}):
        counter.count([stream_record(old=job, new=replace(job, **change))])
    assert writes == []


def test_each_owner_has_separate_counts(counter: JobCounter) -> None:
    counter.count([*history("pending", owner="ann"), *history("pending", "error", owner="bob")])
    assert [counts(counter, owner) for owner in ("ann", "bob", "public")] == [
        {"pending": 1},
        {"error": 1},
        {},
    ]


def test_a_large_batch_takes_several_transactions(counter: JobCounter, dynamodb: Any) -> None:
    writes = watch(dynamodb, "TransactWriteItems")
    counter.count([record for _ in range(100) for record in history("pending")])
    assert counts(counter) == {"pending": 100}
    assert [len(write["TransactItems"]) for write in writes] == [100, 4]


def test_a_transaction_has_room_for_the_counters_of_every_owner(counter: JobCounter, dynamodb: Any) -> None:
    writes = watch(dynamodb, "TransactWriteItems")
    records = [record for number in range(70) for record in history("pending", owner=f"owner-{number}")]
    counter.count(records)
    assert all(counts(counter, f"owner-{number}") == {"pending": 1} for number in range(70))
    assert counts(counter, ALL_OWNERS) == {"pending": 70}
    assert [len(write["TransactItems"]) for write in writes] == [98, 98, 20]


def test_the_counts_of_all_owners_are_theirs_together_without_those_of_public(counter: JobCounter) -> None:
    records = [
        *history("pending"),
        *history("pending", "error", owner="ann"),
        *history("pending", owner="ann"),
        *history("pending", "resolved", "gone", owner="bob"),
        *history("pending", owner="bob", kind="countdown"),
    ]
    for size in (1, 3, len(records)):
        for start in range(0, len(records), size):
            counter.count(records[start : start + size])
    assert counts(counter) == {"pending": 1}
    assert counts(counter, "ann") == {"pending": 1, "error": 1}
    assert counts(counter, "bob") == {"pending": 1}
    assert counts(counter, ALL_OWNERS) == {"pending": 2, "error": 1}
    assert counter.ledger.counts(ALL_OWNERS).by_status("countdown")["pending"] == 1


def test_jobs_are_counted_by_kind_and_error_code(counter: JobCounter) -> None:
    job = make_job(kind="countdown")
    failed = replace(job, status="error", error={"code": "timeout", "message": "m", "attempts": 3}, version=2)
    other = replace(failed, error={"code": "failed", "message": "m", "attempts": 3}, version=4)
    counter.count([*history("pending"), stream_record(new=job)])
    counted = counter.ledger.counts("public")
    assert (counted.by_kind, counted.codes) == ({"photo": {"pending": 1}, "countdown": {"pending": 1}}, {})
    counter.count([stream_record(old=job, new=failed)])
    counted = counter.ledger.counts("public")
    assert (counted.by_kind["countdown"], counted.codes) == ({"error": 1}, {"timeout": 1})
    assert counted.by_status("countdown") == {"pending": 0, "resolved": 0, "error": 1, "cancelled": 0}
    counter.count([stream_record(old=failed, new=other)])
    assert counter.ledger.counts("public").codes == {"failed": 1}
    reopened = replace(job, version=5)
    counter.count([stream_record(old=other, new=reopened), stream_record(old=reopened, new=None)])
    counted = counter.ledger.counts("public")
    assert (counted.by_kind, counted.codes) == ({"photo": {"pending": 1}}, {})


@pytest.mark.parametrize("counted", [[], [FIRST]], ids=["new", "counted"])
def test_a_conflicting_batch_is_counted_again(
    counter: JobCounter, dynamodb: Any, counted: list[Record]
) -> None:
    def count_second(**_: Any) -> None:
        if not races:
            races.append("lost")
            JobCounter(counter.ledger).count([SECOND])

    races: list[str] = []
    counter.count([*counted, *history("pending")])
    with on_call(dynamodb, "TransactWriteItems", count_second):
        counter.count([THIRD, *history("pending")])
    assert races == ["lost"]
    assert counts(counter) == {"pending": 2, "resolved": 1}


@pytest.mark.parametrize("code", ["TransactionCanceledException", "InternalServerError"])
def test_a_batch_that_fails_can_be_retried(counter: JobCounter, dynamodb: Any, code: str) -> None:
    with (
        refused(dynamodb, "TransactWriteItems", code),
        pytest.raises((WriteConflict, dynamodb.exceptions.ClientError)),
    ):
        counter.count(HISTORY)
    counter.count(HISTORY)
    assert counts(counter) == {"resolved": 1}
