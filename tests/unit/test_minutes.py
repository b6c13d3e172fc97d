"""The minutes of `/stats`: what happened in each of the last sixty minutes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from math import ceil
from random import Random
from typing import Any

import pytest

from functions.common.api import Api
from functions.common.identity import ALL_OWNERS
from functions.common.job import Job
from functions.common.ledger import Ledger
from functions.common.minutes import BLOCK, MINUTE, SHOWN, age_of, bucket_of, percentile
from functions.common.store import JobStore
from functions.job_counter.count_jobs import JobCounter
from functions.read_jobs.handler import ROUTES
from functions.read_jobs.read_jobs import JobReader
from tests.unit.factories import NOW, ParsedResponse, api_event, make_job, stream_record
from tests.unit.fakes import FakeClock
from tests.unit.faults import watch

Record = dict[str, Any]


@pytest.fixture
def api(store: JobStore, ledger: Ledger, clock: FakeClock) -> Iterator[Api]:
    with ThreadPoolExecutor(1) as pool:
        yield Api(ROUTES, JobReader(store, ledger, {}, {}, pool, clock), "none")


def minutes(api: Api) -> list[dict[str, Any]]:
    shown = ParsedResponse.read(api.handle(api_event(path="/stats"))).body["minutes"]
    assert len(shown) == SHOWN
    return list(shown)


def life(created_at: int, ended_at: int, status: Any = "resolved", **values: Any) -> list[Record]:
    """Return the records of a job that is created and ends."""
    job = make_job(created_at=created_at, updated_at=created_at, **values)
    error: Any = {"code": "c", "message": "m", "attempts": 1} if status == "error" else None
    ended = replace(job, status=status, version=2, updated_at=ended_at, error=error)
    return [stream_record(new=job), stream_record(old=job, new=ended)]


def test_changes_are_counted_in_the_minute_in_which_they_were_made(
    api: Api, ledger: Ledger, clock: FakeClock
) -> None:
    start = NOW - NOW % MINUTE
    records = [
        *life(start - 5 * MINUTE, start - 5 * MINUTE + 1000),
        *life(start - 5 * MINUTE, start - 3 * MINUTE, "error"),
        *life(start - 5 * MINUTE, start - 3 * MINUTE, "cancelled"),
        *life(start - 3 * MINUTE, start - 3 * MINUTE + 100, delay_seconds=0),
        *life(start - 61 * MINUTE, start - 3 * MINUTE, delay_seconds=58 * 60 - 2),
        *life(start - 62 * MINUTE, start - 60 * MINUTE),
    ]
    clock.now = start + 2000
    JobCounter(ledger).count(records)
    shown = minutes(api)
    assert [minute["at"] for minute in shown] == [start - number * MINUTE for number in range(59, -1, -1)]
    nothing = {"created": 0, "resolved": 0, "failed": 0, "age_p50_ms": None, "age_p95_ms": None}
    five, three = {**shown[-6]}, {**shown[-4]}
    assert [five.pop(name) == pytest.approx(1000, rel=0.1) for name in ("age_p50_ms", "age_p95_ms")]
    assert five == {"at": start - 5 * MINUTE, "created": 3, "resolved": 1, "failed": 0}
    assert three.pop("age_p50_ms") == pytest.approx(100, rel=0.1)
    assert three.pop("age_p95_ms") == pytest.approx(2000, rel=0.1)
    assert three == {"at": start - 3 * MINUTE, "created": 1, "resolved": 2, "failed": 1}
    assert all(minute == {"at": minute["at"], **nothing} for minute in shown[:-6] + shown[-3:])


def test_minutes_are_exact_under_repeated_and_bisected_batches(
    api: Api, ledger: Ledger, clock: FakeClock
) -> None:
    random, counter = Random(1), JobCounter(ledger)
    jobs = [life(NOW - 1000 * number, NOW, random.choice(["resolved", "error"])) for number in range(20)]
    records = [record for number in (0, 1) for records in jobs for record in [records[number]]]
    position = 0
    while position < len(records):
        position += random.randrange(1, 9)
        counter.count(records[max(0, position - random.randrange(1, 20)) : position])
        counter.count(random.sample(records[:position], k=min(position, len(records), 5)))
    created = [minute["created"] for minute in minutes(api)]
    last = minutes(api)[-1]
    assert sum(created) == 20
    statuses = [record["dynamodb"]["NewImage"]["status"]["S"] for record in records]
    assert (last["resolved"], last["failed"]) == (statuses.count("resolved"), statuses.count("error"))


def test_a_retried_job_is_counted_again_and_has_no_age(api: Api, ledger: Ledger) -> None:
    job = make_job()
    failed = replace(job, status="error", version=2, error={"code": "c", "message": "m", "attempts": 1})
    again: Job = replace(job, version=3, run=2)
    done = replace(again, status="resolved", version=4)
    states = [None, job, failed, again, done]
    JobCounter(ledger).count([stream_record(old=old, new=new) for old, new in pairwise(states)])
    last = minutes(api)[-1]
    del last["at"]
    assert last == {"created": 1, "resolved": 1, "failed": 1, "age_p50_ms": None, "age_p95_ms": None}


def test_each_owner_and_all_together_have_minutes(ledger: Ledger) -> None:
    records = [*life(NOW, NOW, owner="ann"), *life(NOW, NOW, owner="bob"), *life(NOW, NOW)]
    JobCounter(ledger).count(records)
    resolved = {
        owner: ledger.counts_and_minutes(owner, NOW)[1][-1]["resolved"]
        for owner in ("ann", "bob", "public", ALL_OWNERS)
    }
    assert resolved == {"ann": 1, "bob": 1, "public": 1, ALL_OWNERS: 2}


def test_a_batch_writes_one_item_for_its_minutes_and_it_expires(ledger: Ledger, dynamodb: Any) -> None:
    writes = watch(dynamodb, "TransactWriteItems")
    JobCounter(ledger).count([record for _ in range(30) for record in life(NOW, NOW)])
    [write] = writes
    assert len(write["TransactItems"]) == 30 + 2
    items = dynamodb.scan(TableName="ledger")["Items"]
    [minute_item] = [item for item in items if item["pk"]["S"].startswith("minutes#")]
    expires_at = int(minute_item["expires_at"]["N"])
    assert NOW // 1000 + 3600 < expires_at < NOW // 1000 + 3 * 3600


def test_stats_are_read_with_one_call_at_any_minute(api: Api, dynamodb: Any, clock: FakeClock) -> None:
    reads = watch(dynamodb, "BatchGetItem")
    for minute in range(BLOCK):
        clock.now = NOW + minute * MINUTE
        minutes(api)
    assert len(reads) == BLOCK
    assert all(len(read["RequestItems"]["ledger"]["Keys"]) <= 100 for read in reads)


def test_the_error_of_a_percentile_is_at_most_ten_percent() -> None:
    for age in [*range(1, 20_000), *(1000 * number for number in range(20, 30 * 24 * 3600, 997))]:
        assert abs(age_of(bucket_of(age)) - age) <= 0.1 * age
    random = Random(1)
    for _ in range(100):
        ages = [round(random.lognormvariate(7, 2)) + 1 for _ in range(random.randrange(1, 200))]
        histogram: dict[int, int] = {}
        for age in ages:
            histogram[bucket_of(age)] = histogram.get(bucket_of(age), 0) + 1
        for fraction in (0.5, 0.95):
            exact = sorted(ages)[ceil(fraction * len(ages)) - 1]
            assert percentile(histogram, fraction) == pytest.approx(exact, rel=0.1)
    assert percentile({}, 0.5) is None
