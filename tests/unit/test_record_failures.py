from dataclasses import replace
from typing import Any

import pytest

from functions.common.job import RETENTION_SECONDS, Job, JobError
from functions.common.messages import JobMessage
from functions.common.store import JobStore
from functions.dlq_worker.record_failures import record_failures
from tests.unit.factories import (
    NOW,
    POISON,
    make_failure,
    make_job,
    make_message,
    make_result,
    sqs_record,
    stored,
)
from tests.unit.fakes import FakeClock
from tests.unit.faults import refused


@pytest.fixture
def job(store: JobStore) -> Job:
    job = make_job(deferred_until=NOW + 5)
    store.create(job)
    return job


def record(store: JobStore, *messages: JobMessage) -> set[str]:
    records = [sqs_record(message.body(), f"m{index}") for index, message in enumerate(messages)]
    return record_failures(records, store, max_receives=5)


def test_a_failure_ends_its_job_once_with_its_reason(store: JobStore, clock: FakeClock, job: Job) -> None:
    clock.now = NOW + 10
    assert record(store, make_failure(job, code="bad_image", message="no image", attempts=3)) == set()
    error = JobError(code="bad_image", message="no image", attempts=3)
    ended = replace(job, status="error", error=error, deferred_until=None, version=2, updated_at=NOW + 10)
    ended = replace(ended, due_at=None, wake_at=None, expires_at=NOW // 1000 + RETENTION_SECONDS)
    assert stored(store, job) == ended
    clock.now = NOW + 20
    assert record(store, make_failure(job, code="other"), make_message(job)) == set()
    assert stored(store, job) == ended


def test_a_redriven_job_message_ends_its_job_as_crashed(store: JobStore, job: Job) -> None:
    assert record(store, make_message(job)) == set()
    ended = stored(store, job)
    assert ended.error
    assert (ended.status, ended.error["code"], ended.error["attempts"]) == ("error", "crashed", 5)


def test_a_redriven_result_resolves_its_job(store: JobStore, job: Job) -> None:
    assert record(store, make_result(job, regular="https://cdn.test/p1")) == set()
    ended = stored(store, job)
    assert ended.output
    assert (ended.status, ended.output["regular"], ended.error) == ("resolved", "https://cdn.test/p1", None)


@pytest.mark.parametrize("values", [{"status": "resolved"}, {"status": "cancelled"}, {"run": 2}])
def test_a_late_failure_has_no_effect(store: JobStore, values: dict[str, Any]) -> None:
    job = make_job(**values)
    store.create(job)
    assert record(store, make_failure(replace(job, run=1)), make_failure(make_job())) == set()
    assert stored(store, job) == job


@pytest.mark.parametrize("poison", POISON)
def test_a_message_without_a_job_is_logged_and_dropped(
    store: JobStore, job: Job, caplog: pytest.LogCaptureFixture, poison: str
) -> None:
    records = [sqs_record(poison, "poison"), sqs_record(make_failure(job).body())]
    assert record_failures(records, store, max_receives=5) == set()
    assert stored(store, job).status == "error"
    assert "unreadable message dropped" in caplog.messages


def test_only_a_failure_that_cannot_be_written_is_redelivered(
    store: JobStore, job: Job, dynamodb: Any
) -> None:
    with refused(dynamodb, "UpdateItem", only=job.id.encode()):
        assert record(store, make_failure(job), make_failure(make_job())) == {"m0"}
    assert stored(store, job) == job
