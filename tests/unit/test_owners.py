"""Sign-in: whose jobs each caller sees and changes."""

import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from functions.common.api import Api
from functions.common.identity import owner_of
from functions.common.job import Job
from functions.common.ledger import Ledger
from functions.common.store import JobStore
from functions.job_counter.count_jobs import JobCounter
from tests.unit.factories import ADDRESS, CALLER, ParsedResponse, api_event, make_job, stored
from tests.unit.factories import stream_record as record
from tests.unit.fakes import FakeClock, Queues, make_watchdog
from tests.unit.gateway import CALLS, Gateway
from tests.unit.sign_in import ANN, BOB, FAILED, ISSUER, add, everything


def count(ledger: Ledger, *jobs: Job) -> None:
    JobCounter(ledger).count([record(new=job) for job in jobs])


def ids(answer: ParsedResponse) -> list[str]:
    return [job["id"] for job in answer.body["data"]]


def test_a_job_belongs_to_who_is_signed_in_whatever_else_is_sent(
    gateway: Gateway, ann: str, store: JobStore, queues: Queues
) -> None:
    headers = {"X-Owner": BOB, "owner": BOB, "x-amzn-oidc-identity": "bob"}
    answer = gateway.call("POST", "/jobs", ann, headers=headers, body='{"query": "tea"}')
    job = store.get(answer.body["id"])
    assert job is not None
    assert (job.owner, job.caller) == (ANN, ANN)
    assert [message["owner"] for message in queues.jobs.bodies()] == [ANN]
    assert ANN not in json.dumps(answer.body)
    refused = gateway.call("POST", "/jobs", ann, body=json.dumps({"query": "tea", "owner": BOB}))
    assert refused.problem() == (400, "owner")


def test_the_keys_of_two_owners_are_different(gateway: Gateway, ann: str, bob: str) -> None:
    def post(token: str, query: str) -> ParsedResponse:
        body = json.dumps({"query": query})
        return gateway.call("POST", "/jobs", token, headers={"Idempotency-Key": "k"}, body=body)

    first, other = post(ann, "tea"), post(bob, "coffee")
    assert (first.status, other.status) == (201, 201)
    assert first.body["id"] != other.body["id"]
    assert post(ann, "tea").body["id"] == first.body["id"]
    assert post(bob, "coffee").body["id"] == other.body["id"]
    assert post(ann, "coffee").status == 422


@pytest.mark.parametrize(("method", "path"), [call for call in CALLS if call[1].startswith("/jobs/{id}")])
@pytest.mark.parametrize("values", [{}, FAILED, {"status": "resolved"}, {"status": "cancelled"}], ids=str)
def test_another_owners_job_is_answered_like_a_job_that_does_not_exist(
    gateway: Gateway,
    store: JobStore,
    clock: FakeClock,
    bob: str,
    method: str,
    path: str,
    values: dict[str, Any],
    dynamodb: Any,
) -> None:
    for owner in (ANN, "public"):
        job, missing = add(store, clock, owner, kind="retired", **values), str(uuid4())
        before = everything(dynamodb)
        answers = [gateway.call(method, path.replace("{id}", job_id), bob) for job_id in (job.id, missing)]
        others, absent = (json.dumps([each.status, each.headers, each.body]) for each in answers)
        assert answers[0].status == 404
        assert others.replace(job.id, missing) == absent
        assert everything(dynamodb) == before


@pytest.mark.parametrize(("method", "path"), [call for call in CALLS if call[1].startswith("/jobs/{id}")])
def test_another_owners_damaged_job_is_answered_like_a_job_that_does_not_exist(
    gateway: Gateway,
    store: JobStore,
    clock: FakeClock,
    ann: str,
    bob: str,
    method: str,
    path: str,
    dynamodb: Any,
) -> None:
    job = add(store, clock, ANN)
    dynamodb.put_item(TableName="jobs", Item={**job.to_item(), "created_at": {"S": "yesterday"}})
    target = path.replace("{id}", job.id)
    assert [gateway.call(method, target, token).status for token in (ann, bob)] == [500, 404]


def test_lists_counts_and_totals_are_those_of_the_owner(
    gateway: Gateway, store: JobStore, ledger: Ledger, clock: FakeClock, ann: str, bob: str
) -> None:
    mine = [add(store, clock, ANN, created_at=clock.now + number) for number in range(3)]
    failed = add(store, clock, ANN, created_at=clock.now + 3, **FAILED)
    others = [add(store, clock, BOB, **values) for values in ({}, FAILED)] + [add(store, clock, "public")]
    count(ledger, *mine, failed, *others)
    page = gateway.call("GET", "/jobs", ann)
    assert ids(page) == [job.id for job in (failed, *reversed(mine))]
    assert page.body["total"] == 4
    for query, expected in (({"status": "error"}, [failed]), ({"kind": "countdown"}, [])):
        page = gateway.call("GET", "/jobs", ann, query=query)
        assert (ids(page), page.body["total"]) == ([job.id for job in expected], len(expected))
    stats = gateway.call("GET", "/stats", ann).body
    assert stats["counts"] == {"pending": 3, "resolved": 0, "error": 1, "cancelled": 0}
    assert stats["codes"] == {"c": 1}
    assert gateway.call("GET", "/stats", bob).body["counts"]["pending"] == 1
    assert stats["queues"] == {}  # they hold the jobs of all owners


def test_a_cursor_of_another_owner_shows_none_of_its_jobs(
    gateway: Gateway, store: JobStore, clock: FakeClock, ann: str, bob: str
) -> None:
    for number in range(4):
        add(store, clock, ANN, created_at=clock.now + number)
    cursor = gateway.call("GET", "/jobs", ann, query={"pageSize": "2"}).body["next_cursor"]
    assert ids(gateway.call("GET", "/jobs", bob, query={"cursor": cursor})) == []


def test_the_watchdog_rescues_the_jobs_of_every_owner(
    store: JobStore, dynamodb: Any, queues: Queues, clock: FakeClock
) -> None:
    jobs = [make_job(owner=owner, due_at=clock.now - 10_000) for owner in (ANN, BOB, "public")]
    assert all(store.create(job) for job in jobs)
    make_watchdog(dynamodb, {"photo": queues.jobs}, clock, grace=1).run()
    woken = {(message["job_id"], message["owner"]) for message in queues.jobs.bodies()}
    assert woken == {(job.id, job.owner) for job in jobs}


# --- operators ---


def test_operators_see_and_change_the_jobs_of_all(
    gateway: Gateway, store: JobStore, clock: FakeClock, olga: str, caplog: pytest.LogCaptureFixture
) -> None:
    for owner, caller in ((ANN, ANN), ("public", CALLER)):
        job = add(store, clock, owner)
        with caplog.at_level("INFO"):
            assert gateway.call("GET", f"/jobs/{job.id}", olga).body["id"] == job.id
            assert gateway.call("DELETE", f"/jobs/{job.id}", olga).body["status"] == "cancelled"
            assert gateway.call("POST", f"/jobs/{job.id}/retry", olga).body["status"] == "pending"
        assert (stored(store, job).owner, stored(store, job).caller) == (owner, caller)
        lines = [line.__dict__ for line in caplog.records]
        changes = [line for line in lines if line["message"] in ("job cancelled", "job reopened")]
        assert [(line["operator"], line["job_id"]) for line in changes] == [("olga", job.id)] * 2
        calls = [line["operator"] for line in lines if line["message"] == "request answered"]
        assert calls == ["olga"] * 3
        caplog.clear()


def test_the_log_does_not_name_who_is_not_an_operator(
    gateway: Gateway, ann: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        assert gateway.call("POST", "/jobs", ann).status == 201
    assert not [line for line in caplog.records if "operator" in line.__dict__]
    assert ann not in str([line.__dict__ for line in caplog.records])


@pytest.mark.parametrize("path", ["/jobs", "/stats", "/schedules"])
def test_only_operators_select_an_owner(
    gateway: Gateway, path: str, ann: str, olga: str, caplog: pytest.LogCaptureFixture
) -> None:
    for owner in (ANN, BOB, "public", "*", "", "x"):
        answer = gateway.call("GET", path, ann, query={"owner": owner})
        assert (answer.status, answer.headers["Content-Type"]) == (403, "application/problem+json")
    for owner in ("", "x", ANN.upper(), f"{ANN}#0", f"{ANN} ", "**", "public#1"):
        assert gateway.call("GET", path, olga, query={"owner": owner}).problem() == (400, "owner")
    with caplog.at_level("INFO"):
        assert gateway.call("GET", path, olga, query={"owner": ANN}).status == 200
    selected = [line.__dict__ for line in caplog.records if line.message == "owner selected"]
    assert [(line["operator"], line["owner"]) for line in selected] == [("olga", ANN)]


def test_the_list_of_all_owners_has_only_a_cursor(gateway: Gateway, olga: str) -> None:
    answer = gateway.call("GET", "/jobs", olga, query={"owner": "*", "page": "2"})
    assert answer.problem() == (400, "page")
    assert gateway.call("GET", "/jobs", olga, query={"owner": "*", "page": "1"}).status == 200


def test_without_sign_in_nobody_selects_an_owner(functions: list[Api]) -> None:
    for path in ("/jobs", "/stats"):
        event = api_event("GET", path, query={"owner": "*"})
        event["requestContext"]["authorizer"] = {"owner": ANN, "operator": "true", "expires_at": "9" * 13}
        assert replace(functions[2], auth="none").handle(event)["statusCode"] == 403


def test_an_operator_sees_the_list_and_counts_of_an_owner_or_of_all(
    gateway: Gateway, store: JobStore, ledger: Ledger, clock: FakeClock, olga: str
) -> None:
    owners = (ANN, BOB, "public", owner_of(ISSUER, "olga"))
    jobs = [add(store, clock, owner, created_at=clock.now - number) for number, owner in enumerate(owners)]
    count(ledger, *jobs)
    lists = {"*": [jobs[0], jobs[1], jobs[3]], ANN: [jobs[0]], "public": [jobs[2]], None: [jobs[3]]}
    for owner, expected in lists.items():
        query = {"owner": owner} if owner else None
        page = gateway.call("GET", "/jobs", olga, query=query)
        assert (ids(page), page.body["total"]) == ([job.id for job in expected], len(expected))
        stats = gateway.call("GET", "/stats", olga, query=query).body
        assert stats["counts"]["pending"] == len(expected)
        assert stats["queues"].keys() == {"photo"}


def test_without_sign_in_jobs_are_charged_to_the_address(functions: list[Api], store: JobStore) -> None:
    answer = ParsedResponse.read(replace(functions[0], auth="none").handle(api_event("POST", "/jobs")))
    job = store.get(answer.body["id"])
    assert job is not None
    assert (job.owner, job.caller, ADDRESS in job.caller) == ("public", CALLER, False)
    assert "all_shard" not in job.to_item()
