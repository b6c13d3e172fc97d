"""Progress: few writes, the latest value always, and nothing after the end."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from functions.common.errors import Cancelled
from functions.common.job import Job
from functions.common.store import JobStore, JobUpdate
from functions.job_worker.progress import INTERVAL, JobProgress, ProgressTimer
from tests.unit.factories import NOW, make_job, make_message, stored
from tests.unit.fakes import FakeTime
from tests.unit.faults import refused, watch


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def job(store: JobStore) -> Job:
    job = make_job()
    store.create(job)
    return job


@pytest.fixture
def progress(store: JobStore, job: Job, fake_time: FakeTime) -> JobProgress:
    return JobProgress(store, job, fake_time.monotonic)


def shown(store: JobStore, job: Job) -> tuple[Any, int]:
    now = stored(store, job)
    return now.progress and now.progress["fraction"], now.version


def test_there_is_at_most_one_write_a_second_and_the_latest_value_is_written(
    store: JobStore, job: Job, progress: JobProgress, fake_time: FakeTime, dynamodb: Any
) -> None:
    writes = watch(dynamodb, "UpdateItem")
    for number in range(25):
        progress.set(number / 100, None)
        fake_time.seconds += 0.125
    assert len(writes) == 4
    assert shown(store, job) == (0.24, 5)
    progress.set(0.99, "almost")
    progress.flush()
    assert shown(store, job) == (0.24, 5)
    fake_time.seconds += INTERVAL
    progress.flush()
    progress.flush()
    assert shown(store, job) == (0.99, 6)


def test_a_timer_writes_what_silent_work_has_left(
    store: JobStore, job: Job, progress: JobProgress, fake_time: FakeTime
) -> None:
    written = threading.Event()
    flush = progress.flush

    def noticed() -> None:
        flush()
        if shown(store, job) == (0.2, 3):
            written.set()

    progress.set(0.1, None)
    progress.set(0.2, None)
    fake_time.seconds += INTERVAL
    progress.flush = noticed  # type: ignore[method-assign, assignment]
    with ProgressTimer([progress]):
        assert written.wait(10)


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_fraction_is_from_0_to_1(progress: JobProgress, fraction: float) -> None:
    with pytest.raises(ValueError, match="must be from 0 to 1"):
        progress.set(fraction, None)


@pytest.mark.parametrize(
    ("fraction", "message", "stored_as"),
    [
        (1 / 3, None, {"fraction": 0.3333, "message": None}),
        (1, "done", {"fraction": 1, "message": "done"}),
        (None, "x" * 300, {"fraction": None, "message": "x" * 200}),
        (0, "\ud800", {"fraction": 0, "message": "?"}),
    ],
)
def test_values_are_stored_as_the_contract_says(
    store: JobStore,
    job: Job,
    progress: JobProgress,
    fraction: float | None,
    message: str | None,
    stored_as: dict[str, Any],
) -> None:
    progress.set(fraction, message)
    assert stored(store, job).progress == stored_as


@pytest.mark.parametrize(
    "change",
    [{"status": "cancelled"}, {"run": 2}, {"due_at": NOW + 60_000}],
    ids=["cancelled", "retried", "another attempt"],
)
def test_nothing_is_written_for_a_job_that_has_ended_or_has_another_attempt(
    store: JobStore, job: Job, progress: JobProgress, change: dict[str, Any], dynamodb: Any
) -> None:
    changed = replace(job, **change)
    dynamodb.put_item(TableName="jobs", Item=changed.to_item())
    with pytest.raises(Cancelled):
        progress.set(0.5, None)
    assert stored(store, job) == changed


def test_a_cancelled_job_is_noticed_between_writes(
    store: JobStore, job: Job, progress: JobProgress, fake_time: FakeTime, dynamodb: Any
) -> None:
    progress.set(0.5, None)
    store.update_all([JobUpdate(make_message(job), {"status": "cancelled"})])
    progress.check()
    reads = watch(dynamodb, "BatchGetItem")
    fake_time.seconds += INTERVAL
    with pytest.raises(Cancelled):
        progress.check()
    assert len(reads) == 1


def test_a_table_that_does_not_answer_does_not_stop_the_work(
    store: JobStore, job: Job, progress: JobProgress, fake_time: FakeTime, dynamodb: Any
) -> None:
    with refused(dynamodb, "UpdateItem"):
        progress.set(0.5, None)
    assert shown(store, job) == (None, 1)
    fake_time.seconds += INTERVAL
    with refused(dynamodb, "BatchGetItem"), refused(dynamodb, "UpdateItem"):
        progress.check()
    fake_time.seconds += INTERVAL
    progress.check()
    assert shown(store, job) == (0.5, 2)


def test_nothing_is_written_after_the_attempt(
    store: JobStore, job: Job, progress: JobProgress, fake_time: FakeTime
) -> None:
    progress.set(0.1, None)
    progress.set(0.2, None)
    progress.close()
    fake_time.seconds += INTERVAL
    progress.flush()
    progress.flush(now=True)
    assert shown(store, job) == (0.1, 2)


def test_the_latest_value_of_an_attempt_that_has_to_wait_is_written(
    store: JobStore, job: Job, progress: JobProgress
) -> None:
    progress.set(0.1, None)
    progress.set(0.2, None)
    progress.flush(now=True)
    assert shown(store, job) == (0.2, 3)
