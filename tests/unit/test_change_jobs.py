"""POST /jobs/retry and POST /jobs/cancel, from the event of API Gateway to the table and the queue."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from functions.change_job.change_job import JobChanger
from functions.change_job.change_jobs import RETRIED_MS, SEARCH_MS, BulkChanger
from functions.change_job.handler import ROUTES
from functions.common.api import Api
from functions.common.find_jobs import JobFinder
from functions.common.job import SHARDS, Job, JobError, created_key, shard_number
from functions.common.messages import job_message
from functions.common.store import JobStore, failed
from tests.unit.factories import CALLER, NOW, SALT, ParsedResponse, api_event, make_job, stored
from tests.unit.fakes import FakeClock, Queues
from tests.unit.faults import on_call, refused, watch
from tests.unit.gateway import Gateway
from tests.unit.sign_in import ANN, BOB

Call = Callable[..., ParsedResponse]


def ended(code: str = "c") -> dict[str, Any]:
    return {"status": "error", "error": {"code": code, "message": "m", "attempts": 3}}


@pytest.fixture
def bulk(store: JobStore, queues: Queues, clock: FakeClock) -> Iterator[BulkChanger]:
    changer = JobChanger(store, {"photo": queues.jobs, "countdown": queues.jobs}, SALT)
    with ThreadPoolExecutor(SHARDS) as pool:
        yield BulkChanger(changer, JobFinder(store, pool, clock), clock)


@pytest.fixture
def call(bulk: BulkChanger) -> Call:
    def send(what: str, *, body: str | None = None, **fields: Any) -> ParsedResponse:
        text = json.dumps(fields) if body is None else body
        event = api_event("POST", f"/jobs/{what}", body=text)
        return ParsedResponse.read(Api(ROUTES, bulk, "none").handle(event))

    return send


def add(store: JobStore, *numbers: int, **values: Any) -> list[Job]:
    """Create jobs with these numbers as ids, created `number` milliseconds after NOW."""
    jobs = [
        make_job(id=str(UUID(int=number)), **{"created_at": NOW + number, **values}) for number in numbers
    ]
    assert all(store.create(job) for job in jobs)
    return jobs


def pending(store: JobStore, jobs: list[Job]) -> list[bool]:
    return [stored(store, job).status == "pending" for job in jobs]


def repeat(call: Call, what: str, **fields: Any) -> list[int]:
    """Repeat a call while there may be more. Return how many jobs each call changed."""
    changed = []
    for _ in range(50):
        answer = call(what, **fields)
        assert answer.status == 200, answer.body
        changed.append(answer.body["changed"])
        if not answer.body["more"]:
            return changed
    pytest.fail(f"repeating does not end: {changed}")


def test_the_newest_matching_jobs_are_retried_and_queued(call: Call, store: JobStore, queues: Queues) -> None:
    jobs = add(store, *range(5), **ended())
    others = [*add(store, 5, **ended("other")), *add(store, 6, kind="countdown", **ended())]
    others += [*add(store, 7, status="cancelled"), *add(store, 8, status="resolved"), *add(store, 9)]
    sends = watch(queues.sqs, "SendMessageBatch")
    answer = call("retry", kind="photo", code="c", limit=3)
    assert (answer.status, answer.body) == (200, {"changed": 3, "more": True})
    assert pending(store, jobs) == [False, False, True, True, True]
    assert [stored(store, job) for job in others] == others
    assert {entry["MessageGroupId"] for send in sends for entry in send["Entries"]} == {CALLER}
    assert {(body["job_id"], body["run"]) for body in queues.jobs.bodies()} == {
        (job.id, 2) for job in jobs[2:]
    }
    assert call("retry", kind="photo", code="c", limit=3).body == {"changed": 2, "more": False}
    assert call("retry", kind="photo", code="c").body == {"changed": 0, "more": False}
    assert call("retry", status="cancelled").body == {"changed": 1, "more": False}
    assert call("retry", body="").body == {"changed": 2, "more": False}


def test_pending_jobs_are_cancelled_also_of_a_kind_that_does_not_exist_any_more(
    call: Call, store: JobStore
) -> None:
    jobs = add(store, *range(4)) + add(store, 4, kind="retired")
    done = add(store, 5, status="resolved")
    assert repeat(call, "cancel", limit=2) == [2, 2, 1]
    assert {stored(store, job).status for job in jobs} == {"cancelled"}
    assert [stored(store, job) for job in done] == done
    other = add(store, 6, kind="retired")
    assert call("cancel", kind="photo", status="pending").body == {"changed": 0, "more": False}
    assert call("cancel", kind="retired").body == {"changed": 1, "more": False}
    assert pending(store, other) == [False]


@pytest.mark.parametrize(
    ("what", "fields", "field"),
    [
        ("retry", {"kind": 5}, "kind"),
        ("retry", {"kind": "retired"}, "kind"),
        ("retry", {"kind": None}, "kind"),
        ("retry", {"status": "pending"}, "status"),
        ("retry", {"status": "resolved"}, "status"),
        ("retry", {"status": ["error"]}, "status"),
        ("retry", {"status": "cancelled", "code": "c"}, "code"),
        ("retry", {"code": "a b"}, "code"),
        ("retry", {"code": 5}, "code"),
        ("cancel", {"kind": "a#b"}, "kind"),
        ("cancel", {"status": "error"}, "status"),
        ("cancel", {"code": "c"}, "code"),
        *(
            (what, {"limit": limit}, "limit")
            for what in ("retry", "cancel")
            for limit in (0, 101, "5", True, 1.5)
        ),
        *((what, {"owner": "*"}, "owner") for what in ("retry", "cancel")),
        *((what, {"body": "[]"}, "body") for what in ("retry", "cancel")),
    ],
)
def test_invalid_fields_change_nothing(
    call: Call, store: JobStore, what: str, fields: dict[str, Any], field: str
) -> None:
    jobs = add(store, 1, **ended()) + add(store, 2)
    assert call(what, **fields).problem() == (400, field)
    assert [stored(store, job) for job in jobs] == jobs


def test_repeating_ends_although_every_retried_job_fails_again(
    call: Call, store: JobStore, clock: FakeClock
) -> None:
    """And it reaches the older jobs."""
    jobs = add(store, *range(10), **ended())

    def fail_again() -> int:
        running = [job for job in (stored(store, job) for job in jobs) if job.status == "pending"]
        error = JobError(code="c", message="m", attempts=3)
        store.update_all([failed(job_message(job), error) for job in running])
        return len(running)

    changed = []
    while call("retry", limit=3).body["more"]:
        clock.now += 1000
        changed.append(fail_again())
    changed.append(fail_again())
    assert changed == [3, 3, 3, 1]
    assert {stored(store, job).run for job in jobs} == {2}
    clock.now += RETRIED_MS
    assert repeat(call, "retry") == [10]


def test_repeating_ends_although_the_index_is_behind(
    call: Call, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = add(store, *range(6))
    keys = [created_key(job.created_at, job.id) for job in reversed(jobs)]

    def stale(partition: Any, before: str, limit: int) -> list[str]:
        shard = int(partition.value.split("#")[1])
        of_shard = [key for key in keys if shard_number(key.partition("#")[2]) == shard and key < before]
        return of_shard[:limit]

    monkeypatch.setattr(store, "created_before", stale)
    store.cancel_all(jobs[3:])
    assert repeat(call, "cancel", limit=2) == [2, 1]


def test_jobs_that_cannot_be_changed_do_not_hide_older_ones(
    call: Call, store: JobStore, dynamodb: Any
) -> None:
    jobs = add(store, *range(4), **ended())
    add(store, *range(10, 15), kind="retired", **ended())
    [broken] = add(store, 20, **ended())
    update = {"UpdateExpression": "SET version = :v", "ExpressionAttributeValues": {":v": {"S": "x"}}}
    dynamodb.update_item(TableName="jobs", Key={"id": {"S": broken.id}}, **update)
    assert repeat(call, "retry", limit=3) == [3, 1]
    assert pending(store, jobs) == [True] * 4


def test_another_call_with_the_same_filter_changes_each_job_once(
    call: Call, bulk: BulkChanger, store: JobStore, queues: Queues, dynamodb: Any
) -> None:
    jobs = add(store, *range(8), **ended())
    others: list[int] = []

    def overtake(**_: Any) -> None:
        if not others:
            others.append(0)
            others[0] = call("retry", limit=4).body["changed"]

    with on_call(dynamodb, "UpdateItem", overtake):
        first = call("retry", limit=4).body
    assert (first["changed"] + others[0], first["more"]) == (8, False)
    assert {stored(store, job).run for job in jobs} == {2}
    assert len(queues.jobs.bodies()) == 8


def test_a_failing_table_returns_503_and_repeating_completes_it(
    call: Call, store: JobStore, dynamodb: Any
) -> None:
    jobs = add(store, *range(4))
    with refused(dynamodb, "UpdateItem"):
        assert call("cancel").status == 503
    with refused(dynamodb, "UpdateItem", only=jobs[0].id.encode()):
        assert call("cancel").body == {"changed": 3, "more": True}
    assert call("cancel").body == {"changed": 1, "more": False}


def test_a_job_that_cannot_be_queued_is_pending_for_the_watchdog(
    call: Call, store: JobStore, queues: Queues
) -> None:
    [job] = add(store, 1, **ended())
    with refused(queues.sqs, "SendMessage"), refused(queues.sqs, "SendMessageBatch"):
        assert call("retry").body == {"changed": 1, "more": False}
    assert (stored(store, job).status, stored(store, job).wake_at) == ("pending", NOW)


def test_a_search_that_takes_too_long_says_what_to_do(
    bulk: BulkChanger, store: JobStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.common.find_jobs.STEP", 1)
    jobs = add(store, *range(3), **ended()) + add(store, *range(3, 20), **ended("other"))
    find = bulk.finder.store.get_many

    def slowly(ids: Any) -> dict[str, Job]:
        clock.now += SEARCH_MS // 3
        return find(ids)

    monkeypatch.setattr(bulk.finder.store, "get_many", slowly)
    slow = Api(ROUTES, bulk, "none")

    def retry(code: str) -> ParsedResponse:
        return ParsedResponse.read(
            slow.handle(api_event("POST", "/jobs/retry", body=json.dumps({"code": code})))
        )

    assert retry("c").status == 409
    assert retry("other").body == {"changed": 16, "more": True}
    assert not any(pending(store, jobs[:3]))


def test_only_the_callers_own_jobs_are_changed_and_operators_select_others(
    gateway: Gateway, store: JobStore, clock: FakeClock, ann: str, olga: str
) -> None:
    def call(token: str, what: str = "cancel", **query: str) -> Any:
        answer = gateway.call("POST", f"/jobs/{what}", token, query=query, body="{}")
        return answer.body.get("changed", answer.status)

    def mine(owner: str, **values: Any) -> Job:
        job = make_job(owner=owner, created_at=clock.now, **values)
        assert store.create(job)
        return job

    own, others = mine(ANN), mine(BOB)
    assert call(ann) == 1
    assert stored(store, others) == others
    assert (call(ann, owner=BOB), call(ann, owner="*"), call(ann, other="1")) == (403, 403, 400)
    assert (call(olga), call(olga, owner=BOB)) == (0, 1)
    again = [mine(ANN), mine(BOB)]
    assert call(olga, owner="*") == 2
    assert call(olga, "retry", owner="*") == 0
    assert call(olga, "retry", owner=ANN) == 0
    error: Any = ended()
    failed_jobs = [mine(ANN, **error), mine(BOB, **error)]
    assert call(olga, "retry", owner="*") == 2
    assert [stored(store, job).caller for job in failed_jobs] == [ANN, BOB]
    assert not any(pending(store, [own, others, *again]))
