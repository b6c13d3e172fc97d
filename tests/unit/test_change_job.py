"""DELETE /jobs/{id} and POST /jobs/{id}/retry, from the event of API Gateway to the table and the queue."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from functions.change_job.change_job import JobChanger
from functions.change_job.change_jobs import BulkChanger
from functions.change_job.handler import ROUTES
from functions.common.api import Api
from functions.common.errors import Problem
from functions.common.find_jobs import JobFinder
from functions.common.identity import PUBLIC
from functions.common.job import RETENTION_SECONDS
from functions.common.store import JobStore, JobUpdate
from tests.unit.factories import (
    ADDRESS,
    CALLER,
    NOW,
    SALT,
    ParsedResponse,
    api_event,
    make_job,
    make_message,
    stored,
)
from tests.unit.fakes import FakeClock, Queues
from tests.unit.faults import refused

Call = Callable[[str], ParsedResponse]

FAILED: dict[str, Any] = {"status": "error", "error": {"code": "c", "message": "m", "attempts": 3}}


@pytest.fixture
def changer(store: JobStore, queues: Queues, clock: FakeClock) -> JobChanger:
    clock.now = NOW + 10
    return JobChanger(store, {"photo": queues.jobs}, SALT)


@pytest.fixture
def api(changer: JobChanger, store: JobStore, clock: FakeClock) -> Iterator[Api]:
    with ThreadPoolExecutor(1) as pool:
        yield Api(ROUTES, BulkChanger(changer, JobFinder(store, pool, clock), clock), "none")


@pytest.fixture
def cancel(api: Api) -> Call:
    return lambda job_id: ParsedResponse.read(api.handle(api_event("DELETE", f"/jobs/{job_id}")))


@pytest.fixture
def retry(api: Api) -> Call:
    return lambda job_id: ParsedResponse.read(api.handle(api_event("POST", f"/jobs/{job_id}/retry")))


def test_a_pending_job_is_cancelled(cancel: Call, store: JobStore) -> None:
    job = make_job(due_at=NOW, deferred_until=NOW + 5)
    store.create(job)
    ended = replace(job, status="cancelled", due_at=None, wake_at=None, deferred_until=None)
    ended = replace(ended, version=2, updated_at=NOW + 10, expires_at=NOW // 1000 + RETENTION_SECONDS)
    answer = cancel(job.id)
    assert (answer.status, answer.body) == (200, ended.public_view())
    assert stored(store, job) == ended
    assert cancel(job.id).status == 409
    assert stored(store, job) == ended


@pytest.mark.parametrize("values", [FAILED, {"status": "cancelled"}])
def test_a_retry_resets_the_job_and_queues_it(
    retry: Call, store: JobStore, queues: Queues, values: dict[str, Any]
) -> None:
    job = make_job(**values, run=2, attempts=3, rescues=1, version=4, caller="someone else")
    store.create(job)
    answer = retry(job.id)
    fresh: dict[str, Any] = {
        "status": "pending",
        "error": None,
        "run": 3,
        "attempts": 0,
        "rescues": 0,
        "due_at": NOW + 10,
        "wake_at": NOW + 10,
        "expires_at": None,
        "caller": CALLER,
    }
    assert stored(store, job) == replace(job, **fresh, version=5, updated_at=NOW + 10)
    assert (answer.status, answer.body) == (200, stored(store, job).public_view())
    assert queues.jobs.bodies() == [json.loads(make_message(replace(job, run=3)).body())]
    late = JobUpdate(make_message(job), {"status": "resolved"})
    assert store.update_all([late]) == ["unchanged"]


@pytest.mark.parametrize(
    ("call", "status"),
    [("cancel", "resolved"), ("cancel", "error"), ("retry", "pending"), ("retry", "resolved")],
)
def test_a_change_that_the_status_does_not_allow_is_refused(
    call: str, status: Any, store: JobStore, queues: Queues, request: pytest.FixtureRequest
) -> None:
    job = make_job(status=status)
    store.create(job)
    answer = request.getfixturevalue(call)(job.id)
    assert (answer.status, answer.headers["Content-Type"]) == (409, "application/problem+json")
    assert (stored(store, job), queues.jobs.bodies()) == (job, [])


def test_a_job_of_a_kind_that_does_not_exist_any_more_cannot_be_retried_but_cancelled(
    cancel: Call, retry: Call, store: JobStore, queues: Queues
) -> None:
    failed, pending = make_job(kind="retired", **FAILED), make_job(kind="retired")
    assert store.create(failed)
    assert store.create(pending)
    answer = retry(failed.id)
    assert (answer.status, "retired" in answer.body["detail"]) == (409, True)
    assert (stored(store, failed), queues.jobs.bodies()) == (failed, [])
    assert cancel(pending.id).body["status"] == "cancelled"


def test_an_unknown_job_returns_404_and_an_invalid_id_400(cancel: Call, retry: Call) -> None:
    assert [call(str(uuid4())).status for call in (cancel, retry)] == [404, 404]
    assert [call("x").problem() for call in (cancel, retry)] == [(400, "id"), (400, "id")]


def test_concurrent_retries_start_one_run(changer: JobChanger, store: JobStore, queues: Queues) -> None:
    def attempt(_: int) -> bool:
        try:
            return bool(changer.retry(job.id, PUBLIC, ADDRESS))
        except Problem as refusal:
            return refusal.status != 409

    job = make_job(**FAILED)
    store.create(job)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
    assert stored(store, job).run == 2
    assert len(queues.jobs.bodies()) == 1


def test_a_retry_that_cannot_be_queued_stays_pending_for_the_watchdog(
    retry: Call, store: JobStore, queues: Queues
) -> None:
    job = make_job(**FAILED)
    store.create(job)
    with refused(queues.sqs, "SendMessage"):
        assert retry(job.id).status == 503
    assert (stored(store, job).status, stored(store, job).due_at) == ("pending", NOW + 10)
