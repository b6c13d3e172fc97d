"""A job's history: from the changes of the table to `GET /jobs/{id}/history`."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from functions.common.api import Api
from functions.common.attributes import to_item
from functions.common.errors import Permanent, RateLimited, Transient
from functions.common.history import MAX_ENTRIES, MAX_MESSAGE, HistoryEntry, extend, from_text, to_text
from functions.common.job import Job
from functions.common.ledger import Ledger
from functions.common.messages import job_message
from functions.common.store import JobStore
from functions.dlq_worker.record_failures import record_failures
from functions.job_counter.count_jobs import JobCounter
from functions.read_jobs.handler import ROUTES
from functions.read_jobs.read_jobs import JobReader
from functions.result_worker.record_results import record_results
from tests.unit.factories import NOW, ParsedResponse, api_event, make_job, stored, stream_record
from tests.unit.fakes import FakeClock, Workbench
from tests.unit.faults import watch
from tests.unit.gateway import Gateway
from tests.unit.sign_in import ANN

Record = dict[str, Any]


@pytest.fixture
def api(store: JobStore, ledger: Ledger, clock: FakeClock) -> Iterator[Api]:
    with ThreadPoolExecutor(1) as pool:
        yield Api(ROUTES, JobReader(store, ledger, {}, {}, pool, clock), "none")


def history(api: Api, job: Job) -> list[Any]:
    answer = ParsedResponse.read(api.handle(api_event(path=f"/jobs/{job.id}/history")))
    assert answer.status == 200
    return [tuple(entry.values()) for entry in answer.body["data"]]


class Life:
    """The states of one job in the table, of which its stream records are made."""

    def __init__(self, bench: Workbench, **values: Any) -> None:
        self.bench = bench
        [job] = bench.add("pasta", **values)
        self.states: list[Job | None] = [None, job]

    @property
    def job(self) -> Job:
        assert self.states[-1]
        return self.states[-1]

    def work(self, error: Exception | None = None, seconds: int = 2) -> None:
        """Let the worker receive the job's message, and record the outcome."""
        bench, job = self.bench, self.job
        bench.clock.now = max(bench.clock.now, job.due_at or 0)
        bench.unsplash.errors = {"pasta": error} if error else {}
        bench.queues.jobs.send(job_message(job).body())
        publish = bench.unsplash.random_photos

        def slowly(topic: str, count: int) -> Any:
            bench.clock.now += 1000 * seconds
            return publish(topic, count)

        bench.unsplash.random_photos = slowly  # type: ignore[method-assign]
        bench.work()
        bench.unsplash.random_photos = publish  # type: ignore[method-assign]
        record_results(bench.queues.results.records(), bench.store)
        record_failures(bench.queues.dead_letters.records(), bench.store, 5)
        self.read()

    def read(self) -> None:
        self.states.append(stored(self.bench.store, self.job))

    @property
    def records(self) -> list[Record]:
        return [stream_record(old=old, new=new) for old, new in pairwise(self.states)]


@pytest.fixture
def life(bench: Workbench) -> Life:
    """Return the life of a job that waits twice, fails twice, is cancelled, retried, and resolved."""
    life = Life(bench)
    down = Transient("unavailable", "Unsplash is unavailable " + "x" * MAX_MESSAGE)
    life.work(RateLimited(NOW + 60_000))
    life.work(RateLimited(NOW + 120_000))
    life.work(down)
    life.work(down, seconds=5)
    life.bench.clock.now += 1000
    bench.store.cancel(life.job)
    life.read()
    life.bench.clock.now += 1000
    bench.store.reopen(life.job, "caller")
    life.read()
    life.work()
    return life


def expected(life: Life) -> list[Any]:
    waits, first, second = life.states[3:6]
    assert waits and waits.deferred_until  # noqa: PT018
    assert first and first.failure  # noqa: PT018
    assert second and second.failure  # noqa: PT018
    until = datetime.fromtimestamp(waits.deferred_until // 1000, UTC).isoformat().replace("+00:00", "Z")
    message = f"Unsplash is unavailable {'x' * MAX_MESSAGE}"[: MAX_MESSAGE - 1] + "…"
    cancelled, retried, resolved = (state.updated_at for state in life.states[-3:] if state)
    return [
        (NOW, "pending", 0, None, None),
        (NOW + 2000, "pending", 0, "deferred", f"until {until}"),
        (first.failure["at"] - 2000, "pending", 1, "started", None),
        (first.failure["at"], "pending", 1, "unavailable", message),
        (second.failure["at"] - 5000, "pending", 2, "started", None),
        (second.failure["at"], "pending", 2, "unavailable", message),
        (cancelled, "cancelled", 2, None, None),
        (retried, "pending", 0, "retried", None),
        (resolved - 2000, "pending", 1, "started", None),
        (resolved, "resolved", 1, None, None),
    ]


def test_every_step_of_a_job_is_in_its_history(life: Life, api: Api, ledger: Ledger) -> None:
    JobCounter(ledger).count(life.records)
    assert history(api, life.job) == expected(life)


def test_a_history_is_exact_for_repeated_and_bisected_batches(life: Life, api: Api, ledger: Ledger) -> None:
    """Each record is first delivered in its order, as the stream does, and again at any later time."""
    random, records, next_record = Random(1), life.records, 0
    counter = JobCounter(ledger)
    while next_record < len(records):
        batch = records[random.randrange(next_record + 1) : next_record + random.randrange(1, 4)]
        next_record = max(next_record, records.index(batch[-1]) + 1)
        counter.count(batch + random.choices(batch, k=2))
        counter.count(random.choices(records[:next_record], k=3))
    assert history(api, life.job) == expected(life)
    assert counter.ledger.counts("public").by_status()["resolved"] == 1


def test_a_mark_usually_takes_one_write_unit(bench: Workbench, dynamodb: Any, ledger: Ledger) -> None:
    """bench/cost prices it."""
    life = Life(bench, kind="photo", owner=ANN)
    life.work()
    counted = len(life.records)
    JobCounter(ledger).count(life.records)
    mark = dynamodb.get_item(TableName="ledger", Key={"pk": {"S": f"mark#{life.job.id}"}})["Item"]
    assert (counted, 300 < len(json.dumps(mark)) < 1000) == (2, True)


def test_a_failed_job_has_its_error(bench: Workbench, api: Api, ledger: Ledger) -> None:
    life = Life(bench, delay_seconds=5, due_at=NOW + 5000)
    life.work(Permanent("no_photos", "none"), seconds=1)
    JobCounter(ledger).count(life.records)
    assert history(api, life.job) == [
        (NOW, "pending", 0, None, None),
        (NOW + 5000, "pending", 1, "started", None),
        (NOW + 6000, "error", 1, "no_photos", "none"),
    ]


def test_changes_that_are_not_in_the_history_cost_no_write(ledger: Ledger, dynamodb: Any) -> None:
    job = make_job()
    JobCounter(ledger).count([stream_record(new=job)])
    writes = watch(dynamodb, "TransactWriteItems")
    progress: Any = {"fraction": 0.25, "message": None}
    for change in ({"progress": progress, "version": 2}, {"wake_at": 5}, {"due_at": 5, "parked": True}):
        JobCounter(ledger).count([stream_record(old=job, new=replace(job, **change))])
    assert writes == []


def test_a_history_is_bounded_and_keeps_its_beginning(bench: Workbench, api: Api, ledger: Ledger) -> None:
    life = Life(bench)
    for number in range(12):
        bench.clock.now = NOW + number
        bench.store.cancel(life.job)
        life.read()
        bench.store.reopen(life.job, "")
        life.read()
    for start in range(0, len(life.records), 10):
        JobCounter(ledger).count(life.records[start : start + 10])
    shown = history(api, life.job)
    assert len(shown) == MAX_ENTRIES
    assert shown[0] == (NOW, "pending", 0, None, None)
    assert [entry[0] for entry in shown[-3:]] == [NOW + 10, NOW + 11, NOW + 11]


def test_a_job_that_is_created_again_has_a_new_history(ledger: Ledger, store: JobStore, api: Api) -> None:
    old = make_job(id="3f2a4b66-7c8d-4e9f-8a1b-2c3d4e5f6a7b", status="resolved")
    new = make_job(id=old.id, created_at=NOW + 5)
    store.create(new)
    JobCounter(ledger).count([stream_record(new=old)])
    assert history(api, new) == []
    JobCounter(ledger).count([stream_record(old=old), stream_record(new=new)])
    assert history(api, new) == [(NOW + 5, "pending", 0, None, None)]
    JobCounter(ledger).count([stream_record(old=new)])
    assert ledger.marks([new.id])[new.id].history == ""


def test_repeated_entries_are_one_with_the_first_time_and_the_last_message() -> None:
    waits = [HistoryEntry(at, "pending", 1, "deferred", f"until {at}") for at in range(1, 5)]
    folded = extend((), waits)
    assert folded == (HistoryEntry(1, "pending", 1, "deferred", "until 4"),)
    assert from_text(to_text(folded)) == folded


def test_a_mark_of_an_older_version_gets_a_history(ledger: Ledger, store: JobStore, api: Api) -> None:
    job = make_job()
    store.create(job)
    mark = {"pk": f"mark#{job.id}", "owner": "public", "kind": "photo", "status": "pending"}
    ledger._table.create(to_item({**mark, "sequence": job.created_at * 10**6 + 1, "code": ""}), "pk")
    ended = replace(job, status="cancelled", version=2, updated_at=NOW + 1)
    JobCounter(ledger).count([stream_record(new=job), stream_record(old=job, new=ended)])
    assert history(api, job) == [(NOW + 1, "cancelled", 0, None, None)]


def test_the_history_of_anothers_job_does_not_exist(
    gateway: Gateway, store: JobStore, ledger: Ledger, ann: str, bob: str, olga: str
) -> None:
    job = make_job(owner=ANN)
    store.create(job)
    JobCounter(ledger).count([stream_record(new=job)])
    answers = [gateway.call("GET", f"/jobs/{job.id}/history", token) for token in (ann, bob, olga)]
    assert [answer.status for answer in answers] == [200, 404, 200]
    assert answers[0].body["data"] == answers[2].body["data"] != []
