"""Another try for jobs that ended in error."""

import json
from typing import Any

import pytest

from functions.common.job import Job
from functions.common.store import JobStore, JobUpdate
from operations.redrive import Redrive
from tests.unit.factories import NOW, make_job, make_message, stored
from tests.unit.fakes import Queues
from tests.unit.faults import on_call, refused, watch


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def redrive(store: JobStore, queues: Queues, pauses: list[float]) -> Redrive:
    return Redrive(store, queues.jobs, 20, pauses.append)


def failed(store: JobStore, code: str, number: int = 0) -> Job:
    error = {"code": code, "message": "m", "attempts": 3}
    job = make_job(status="error", error=error, created_at=NOW + number, attempts=2)
    store.create(job)
    return job


def test_jobs_of_a_code_are_found_oldest_first_by_the_index(
    redrive: Redrive, store: JobStore, dynamodb: Any
) -> None:
    jobs = [failed(store, "down", number) for number in range(12)]
    failed(store, "no_photos", 20)
    store.create(make_job())
    store.create(make_job(status="cancelled"))
    scans = watch(dynamodb, "Scan")
    assert redrive.find("down", 1000) == jobs
    assert redrive.find("down", 5) == jobs[:5]
    assert len(redrive.find(None, 1000)) == 13
    assert scans == []


def test_a_code_is_found_behind_pages_of_others(
    redrive: Redrive, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operations.redrive.PAGE", 2)
    for number in range(30):
        failed(store, "no_photos", number)
    wanted = [failed(store, "down", 100 + number) for number in range(6)]
    assert redrive.find("down", 1000) == wanted


def test_they_are_reopened_and_queued_as_a_callers_retry_does(
    redrive: Redrive, store: JobStore, queues: Queues
) -> None:
    job = failed(store, "down")
    counts = redrive.run(redrive.find(None, 10))
    again = stored(store, job)
    assert (again.status, again.run, again.version, again.attempts, again.error) == ("pending", 2, 2, 0, None)
    assert queues.jobs.bodies() == [json.loads(make_message(again).body())]
    assert (dict(counts.found), counts.retried) == ({"down": 1}, 1)


def test_the_rate_is_kept(redrive: Redrive, store: JobStore, queues: Queues, pauses: list[float]) -> None:
    for number in range(25):
        failed(store, "down", number)
    assert redrive.run(redrive.find(None, 100)).retried == 25
    assert pauses == [0.5, 0.5]  # ten jobs at twenty a second


def test_a_job_that_somebody_else_has_changed_meanwhile_is_left_alone(
    redrive: Redrive, store: JobStore, queues: Queues
) -> None:
    job = failed(store, "down")
    found = redrive.find(None, 10)
    assert store.reopen(job)
    store.update_all([JobUpdate(make_message(stored(store, job)), {"status": "error"})])
    before = stored(store, job)
    counts = redrive.run(found)
    assert (counts.retried, counts.changed_meanwhile) == (0, 1)
    assert (stored(store, job), queues.jobs.bodies()) == (before, [])


def test_the_index_may_be_behind_the_table(redrive: Redrive, store: JobStore, dynamodb: Any) -> None:
    job = failed(store, "down")
    with on_call(dynamodb, "BatchGetItem", lambda **_: store.reopen(job) and None):
        assert redrive.find(None, 10) == []


def test_what_could_not_be_queued_is_counted(redrive: Redrive, store: JobStore, queues: Queues) -> None:
    job = failed(store, "down")
    with refused(queues.sqs, "SendMessageBatch"):
        counts = redrive.run(redrive.find(None, 10))
    assert (counts.retried, counts.left_to_watchdog) == (0, 1)
    assert stored(store, job).due_at == NOW  # when the watchdog begins to count
