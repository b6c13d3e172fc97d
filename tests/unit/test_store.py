from dataclasses import replace
from typing import Any

import pytest

from functions.common.attributes import to_attribute
from functions.common.job import RETENTION_SECONDS, Job, Progress, shard_number, to_json
from functions.common.store import JobStore, JobUpdate, due, progressed
from tests.unit.factories import NOW, make_job, make_message, make_output, stored
from tests.unit.fakes import FakeClock
from tests.unit.faults import alter, refused, watch

OUTPUT = {"regular": "https://images.test/1", "size": 0.1}
RESOLVED = {"status": "resolved", "output": to_json(OUTPUT)}


@pytest.fixture
def job(store: JobStore) -> Job:
    job = make_job(deferred_until=NOW + 5)
    store.create(job)
    return job


def test_a_job_is_written_once_and_read_unchanged(store: JobStore) -> None:
    job = make_job(
        output=make_output(alt=None, score=0.25),
        error={"code": "c", "message": "m", "attempts": 1},
        progress={"fraction": 0.1, "message": None},
        version=7,
        query="ü🍝",
    )
    assert store.create(job) is True
    assert store.create(replace(job, input={})) is False
    assert repr(store.get(job.id)) == repr(job)
    assert store.get("unknown") is None


def test_jobs_are_read_in_batches_of_a_hundred(store: JobStore, dynamodb: Any) -> None:
    jobs = [make_job() for _ in range(101)]
    assert all(store.create(job) for job in jobs)
    reads = watch(dynamodb, "BatchGetItem")
    assert store.get_many([*(job.id for job in jobs), jobs[0].id, "x"]) == {job.id: job for job in jobs}
    assert [len(read["RequestItems"]["jobs"]["Keys"]) for read in reads] == [100, 2]


def test_unprocessed_keys_are_read_again(store: JobStore, dynamodb: Any, job: Job) -> None:
    def leave_out(answer: dict[str, Any]) -> None:
        if not left_out:
            left_out.append(answer["Responses"].pop("jobs"))
            answer["UnprocessedKeys"] = {"jobs": {"Keys": [{"id": to_attribute(job.id)}]}}

    left_out: list[Any] = []
    alter(dynamodb, "BatchGetItem", leave_out)
    assert store.get_many([job.id]) == {job.id: job}


def test_a_repeated_update_does_not_change_the_version(store: JobStore, clock: FakeClock, job: Job) -> None:
    clock.now = NOW + 10
    ended = replace(job, status="resolved", output=OUTPUT, deferred_until=None)
    ended = replace(ended, version=2, updated_at=NOW + 10, due_at=None, wake_at=None)
    ended = replace(ended, expires_at=(NOW + 10) // 1000 + RETENTION_SECONDS)
    assert store.update_all([JobUpdate(make_message(job), RESOLVED)]) == [ended]
    assert stored(store, job) == ended
    clock.now = NOW + 20
    assert store.update_all([JobUpdate(make_message(job), {"status": "error"})]) == ["unchanged"]
    assert stored(store, job) == ended


def test_a_new_status_moves_the_job_in_the_indexes(store: JobStore, dynamodb: Any) -> None:
    def listed(index: str, attribute: str, key: str) -> int:
        condition = {"KeyConditionExpression": f"{attribute} = :key"}
        values = {"ExpressionAttributeValues": {":key": {"S": key}}}
        return int(dynamodb.query(TableName="jobs", IndexName=index, **condition, **values)["Count"])

    def places() -> list[int]:
        by_status = [
            listed("by-status", "status_shard", f"{key}#{status}") for status in ("pending", "resolved")
        ]
        by_kind = [
            listed("by-kind", "kind_shard", f"{key}#photo#{status}") for status in ("pending", "resolved")
        ]
        by_due = [listed("by-due", "due_shard", f"{name}#{number}") for name in ("sent", "wait")]
        return [*by_status, *by_kind, *by_due, listed("by-updated", "list_shard", key)]

    job = make_job(due_at=NOW)
    number = shard_number(job.id)
    key = f"{job.owner}#{number}"
    store.create(job)
    assert places() == [1, 0, 1, 0, 1, 0, 1]
    store.update_all([JobUpdate(make_message(job), due(NOW + 1, parked=True))])
    assert places() == [1, 0, 1, 0, 0, 1, 1]
    store.update_all([JobUpdate(make_message(job), RESOLVED)])
    assert places() == [0, 1, 0, 1, 0, 0, 1]
    assert stored(store, job).expires_at == NOW // 1000 + RETENTION_SECONDS


def test_only_one_of_several_concurrent_updates_is_made(store: JobStore, job: Job) -> None:
    outcomes = store.update_all([JobUpdate(make_message(job), RESOLVED)] * 5)
    assert outcomes.count("unchanged") == 4
    assert stored(store, job).version == 2


@pytest.mark.parametrize(
    "values", [{"run": 2}, {"status": "resolved"}, {"status": "cancelled"}, {"due_at": 6}]
)
def test_an_update_requires_a_pending_job_in_the_expected_run(
    store: JobStore, values: dict[str, Any]
) -> None:
    job = make_job(**{"due_at": 5, **values})
    store.create(job)
    assert store.update_all([JobUpdate(make_message(replace(job, run=1)), RESOLVED, due_at=5)]) == [
        "unchanged"
    ]
    assert stored(store, job) == job


def test_an_internal_update_does_not_change_the_version(store: JobStore, clock: FakeClock, job: Job) -> None:
    clock.now = NOW + 10
    noted = replace(job, attempts=2)
    assert store.update_all([JobUpdate(make_message(job), {"attempts": 2}, visible=False)]) == [noted]
    assert stored(store, job) == noted


def test_outcomes_have_the_order_of_the_updates(store: JobStore, job: Job) -> None:
    changes = [JobUpdate(make_message(each), RESOLVED) for each in (make_job(), job, make_job())]
    outcomes = store.update_all(changes)
    assert [outcomes[0], outcomes[2]] == ["unchanged", "unchanged"]
    assert outcomes[1] == stored(store, job) != job


def test_a_refused_write_is_reported_as_failed(store: JobStore, dynamodb: Any, job: Job) -> None:
    with refused(dynamodb, "UpdateItem"):
        assert store.update_all([JobUpdate(make_message(job), RESOLVED)]) == ["failed"]
    assert stored(store, job) == job


def test_an_update_that_dynamodb_can_never_accept_is_refused(store: JobStore, job: Job) -> None:
    too_large = JobUpdate(make_message(job), {"output": "x" * 500_000})
    assert store.update_all([too_large]) == ["refused"]
    assert stored(store, job) == job


def test_progress_is_a_new_version_that_leaves_the_index_of_changes_alone(
    store: JobStore, clock: FakeClock, dynamodb: Any
) -> None:
    job = make_job()
    store.create(job)
    clock.now = NOW + 10
    progress = Progress(fraction=0.25, message="a quarter")
    assert store.update_all([progressed(job, progress)]) == [
        replace(job, progress=progress, version=2, updated_at=NOW + 10)
    ]
    item = dynamodb.get_item(TableName="jobs", Key={"id": to_attribute(job.id)})["Item"]
    assert (item["changed_at"], item["updated_at"]) == ({"N": str(NOW)}, {"N": str(NOW + 10)})


@pytest.mark.parametrize("values", [{"status": "resolved"}, {"run": 2}, {"due_at": NOW + 1}])
def test_progress_of_an_earlier_attempt_or_after_the_end_is_not_written(
    store: JobStore, values: dict[str, Any]
) -> None:
    now = make_job(**values)
    store.create(now)
    attempt = make_job(id=now.id)
    assert store.update_all([progressed(attempt, Progress(fraction=0.5, message=None))]) == ["unchanged"]
    assert stored(store, now) == now


def test_the_end_of_a_job_removes_its_progress(store: JobStore) -> None:
    job = make_job(progress={"fraction": 0.5, "message": None})
    store.create(job)
    store.update_all([JobUpdate(make_message(job), RESOLVED)])
    assert stored(store, job).progress is None
