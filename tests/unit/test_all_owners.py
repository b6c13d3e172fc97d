"""The list of all owners: complete, in order, and bounded in what it reads."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any
from uuid import UUID

import pytest

from functions.common import all_owners, find_jobs
from functions.common.all_owners import LISTED_DAYS
from functions.common.find_jobs import MAX_EXAMINED
from functions.common.job import DAY, RETENTION_SECONDS, SHARDS, Job
from functions.common.job_filter import JobFilter
from functions.common.ledger import Ledger
from functions.common.store import JobStore
from functions.create_job.job_request import LONGEST_DELAY_SECONDS
from functions.read_jobs.paging import PageRequest, decode_cursor
from functions.read_jobs.read_jobs import JobReader
from tests.unit.factories import NOW, make_job
from tests.unit.fakes import FakeClock
from tests.unit.faults import watch

Read = Callable[..., dict[str, Any]]
MIDNIGHT = NOW // DAY * DAY


@pytest.fixture
def read(store: JobStore, ledger: Ledger, clock: FakeClock) -> Iterator[Read]:
    def page(size: int = 20, cursor: str | None = None, **values: Any) -> dict[str, Any]:
        after = decode_cursor(cursor) if cursor else None
        return reader.list_jobs("*", PageRequest(size=size, after=after, wanted=JobFilter(**values)))

    with ThreadPoolExecutor(SHARDS) as pool:
        reader = JobReader(store, ledger, {}, {}, pool, clock)
        yield page


def add(store: JobStore, number: int, created_at: int, **values: Any) -> Job:
    job = make_job(id=str(UUID(int=number)), owner=f"{number % 3:032x}", created_at=created_at, **values)
    assert store.create(job)
    return job


def read_all(read: Read, size: int, **values: Any) -> list[str]:
    """Return the ids on all pages."""
    page = read(size, **values)
    ids = [job["id"] for job in page["data"]]
    while page["next_cursor"]:
        page = read(size, page["next_cursor"], **values)
        ids += [job["id"] for job in page["data"]]
    return ids


TIMES = [NOW, NOW - 1, MIDNIGHT, MIDNIGHT - 1, MIDNIGHT - DAY, NOW - 9 * DAY, NOW - 30 * DAY, NOW - 61 * DAY]


@pytest.mark.parametrize(("size", "step"), [(1, 100), (3, 2), (7, 100), (100, 2)])
def test_all_pages_have_every_job_once_newest_first(
    read: Read, store: JobStore, size: int, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_owners, "STEP", step)
    random = Random(size)
    jobs = [add(store, number, random.choice(TIMES)) for number in range(40)]
    expected = sorted(jobs, key=lambda job: (job.created_at, job.id), reverse=True)
    assert read_all(read, size) == [job.id for job in expected]


FAILED: dict[str, Any] = {"status": "error", "error": {"code": "c", "message": "m", "attempts": 1}}


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"status": "error"}, {"status": "error"}),
        ({"kind": "countdown"}, {"kind": "countdown"}),
        (FAILED, {"status": "error", "code": "c"}),
        ({"input": {"query": "The Sea"}}, {"text": "sea"}),
    ],
    ids=str,
)
def test_jobs_are_filtered_by_what_they_are(
    read: Read, store: JobStore, values: dict[str, Any], wanted: dict[str, Any]
) -> None:
    random = Random(1)
    for number in range(30):
        add(store, number, random.choice(TIMES))
    jobs = [add(store, number, random.choice(TIMES), **values) for number in range(100, 110)]
    expected = sorted(jobs, key=lambda job: (job.created_at, job.id), reverse=True)
    for size in (3, 100):
        assert read_all(read, size, **wanted) == [job.id for job in expected]


def test_jobs_are_filtered_by_time(read: Read, store: JobStore) -> None:
    jobs = [add(store, number, time) for number, time in enumerate(sorted(TIMES, reverse=True))]
    since, until = jobs[5].created_at, jobs[1].created_at
    for size in (1, 2, 100):
        assert read_all(read, size, since=since, until=until) == [job.id for job in jobs[2:6]]
        assert read_all(read, size, until=until) == [job.id for job in jobs[2:]]
        assert read_all(read, size, since=since) == [job.id for job in jobs[:6]]


def test_a_call_examines_a_bounded_number_of_entries(
    read: Read, store: JobStore, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_jobs, "MAX_EXAMINED", 40)
    monkeypatch.setattr(all_owners, "STEP", 5)
    for number in range(100):
        add(store, number, NOW - number)
    rare = add(store, 200, NOW - 200, status="error")
    examined: list[int] = []
    dynamodb.meta.events.register(
        "after-call.dynamodb.Query", lambda parsed, **_: examined.append(len(parsed["Items"]))
    )
    calls, page = 1, read(10, status="error")
    assert (page["data"], sum(examined) <= 40) == ([], True)
    while not page["data"]:
        examined.clear()
        page = read(10, page["next_cursor"], status="error")
        calls += 1
        assert sum(examined) <= 40
    assert [job["id"] for job in page["data"]] == [rare.id]
    assert calls <= 10


def test_an_empty_list_is_read_with_few_rounds_and_ends(read: Read, dynamodb: Any) -> None:
    queries = watch(dynamodb, "Query")
    page = read()
    assert (page["data"], page["next_cursor"]) == ([], None)
    partitions = Counter(query["ExpressionAttributeValues"][":partition"]["S"] for query in queries)
    assert (len(partitions), set(partitions.values())) == (SHARDS * (LISTED_DAYS + 1), {1})
    rounds = {query["ExpressionAttributeValues"][":key"]["S"] for query in queries}
    assert len(rounds) == 6


def test_the_list_goes_back_further_than_jobs_are_kept() -> None:
    assert 1000 * (LONGEST_DELAY_SECONDS + RETENTION_SECONDS) < LISTED_DAYS * DAY
    assert MAX_EXAMINED == 1000


def test_a_clock_that_is_ahead_hides_no_job_of_the_next_day(
    read: Read, store: JobStore, clock: FakeClock
) -> None:
    clock.now = MIDNIGHT + DAY - 1
    job = add(store, 1, MIDNIGHT + DAY + 1000)
    assert [each["id"] for each in read()["data"]] == [job.id]


def test_a_stale_entry_or_one_without_attributes_does_not_break_the_list(
    read: Read, store: JobStore, dynamodb: Any
) -> None:
    job, ended = add(store, 1, NOW), add(store, 2, NOW - 1)
    store.cancel(ended)
    item = add(store, 3, NOW - 2).to_item()
    dynamodb.put_item(TableName="jobs", Item={name: item[name] for name in item if name != "status"})
    assert read_all(read, 10, status="pending") == [job.id]
