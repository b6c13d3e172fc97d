from dataclasses import replace
from typing import Any

import pytest

from functions.common.job import RETENTION_SECONDS, Job
from functions.common.store import JobStore
from functions.dlq_worker.record_failures import record_failures
from functions.result_worker.record_results import record_results
from tests.unit.factories import (
    NOW,
    POISON,
    make_job,
    make_message,
    make_output,
    make_result,
    sqs_record,
    stored,
)
from tests.unit.fakes import FakeClock
from tests.unit.faults import refused


@pytest.fixture
def job(store: JobStore) -> Job:
    job = make_job(deferred_until=NOW - 1, attempts=1)
    store.create(job)
    return job


def test_a_result_resolves_its_job_once(store: JobStore, clock: FakeClock, job: Job) -> None:
    clock.now = NOW + 10
    assert record_results([sqs_record(make_result(job).body())], store) == set()
    ended = replace(job, status="resolved", output=make_output(), deferred_until=None)
    ended = replace(ended, due_at=None, wake_at=None, expires_at=NOW // 1000 + RETENTION_SECONDS)
    assert stored(store, job) == replace(ended, version=2, updated_at=NOW + 10)
    clock.now = NOW + 20
    assert record_results([sqs_record(make_result(job, id="other").body())] * 3, store) == set()
    assert stored(store, job) == replace(ended, version=2, updated_at=NOW + 10)


@pytest.mark.parametrize("values", [{"status": "cancelled"}, {"status": "error"}, {"run": 2}])
def test_a_late_result_has_no_effect(store: JobStore, values: dict[str, Any]) -> None:
    job = make_job(**values)
    store.create(job)
    late = [make_result(replace(job, run=1)), make_result(make_job())]
    assert record_results([sqs_record(result.body()) for result in late], store) == set()
    assert stored(store, job) == job


@pytest.mark.parametrize(
    "poison", [*POISON, make_message(make_job()).body(), make_result(make_job(), width=float("nan")).body()]
)
def test_an_unreadable_result_does_not_affect_others(store: JobStore, job: Job, poison: str) -> None:
    records = [sqs_record(poison, "poison"), sqs_record(make_result(job).body())]
    assert record_results(records, store) == {"poison"}
    assert stored(store, job).status == "resolved"


def test_only_a_result_that_cannot_be_written_is_redelivered(
    store: JobStore, job: Job, dynamodb: Any
) -> None:
    other = make_job()
    store.create(other)
    records = [sqs_record(make_result(job).body(), "a"), sqs_record(make_result(other).body(), "b")]
    with refused(dynamodb, "UpdateItem", only=job.id.encode()):
        assert record_results(records, store) == {"a"}
    assert [stored(store, each).status for each in (job, other)] == ["pending", "resolved"]


def test_a_result_that_can_never_be_stored_ends_its_job_in_the_dead_letter_queue(
    store: JobStore, dynamodb: Any, clock: FakeClock, job: Job
) -> None:
    good = make_job()
    store.create(good)
    clock.now = NOW + 10
    too_large = sqs_record(make_result(job, alt="too large").body(), "large")
    with refused(dynamodb, "UpdateItem", "ValidationException", only=b"too large"):
        assert record_results([sqs_record(make_result(good).body()), too_large], store) == {"large"}
        assert (stored(store, good).status, stored(store, job).status) == ("resolved", "pending")
        assert record_failures([too_large], store, max_receives=5) == set()
    ended = stored(store, job)
    assert ended.error
    assert (ended.status, ended.error["code"]) == ("error", "crashed")
