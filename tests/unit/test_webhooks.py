"""The calls about webhooks, and the secrets with which they are signed."""

import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import boto3
import pytest

from functions.common.api import Api
from functions.common.deliveries import Deliveries, Entry
from functions.common.errors import Problem
from functions.common.job import Job
from functions.common.ledger import Ledger
from functions.common.notice import Notice, parse_notice
from functions.common.store import JobStore
from functions.common.webhook_secrets import KEY_MAX_AGE, OVERLAP_MS, MasterKey, WebhookSecrets
from functions.webhooks.deliveries import DeliveryDesk
from functions.webhooks.handler import ROUTES, Webhooks
from tests.unit.factories import NOW, ParsedResponse, api_event, make_job, make_output
from tests.unit.fakes import FakeClock, ReadableQueue
from tests.unit.gateway import Gateway
from tests.unit.sign_in import ANN, add

URL = "https://receiver.test:8443/hook?token=t"


class Calls:
    """The function without sign-in, and what it works with."""

    def __init__(self, store: JobStore, ledger: Ledger, sqs: Any, clock: FakeClock) -> None:
        self.queue = ReadableQueue(sqs, "notices")
        self.deliveries = Deliveries(ledger.webhooks("delivery"))
        self.secrets = WebhookSecrets(ledger.webhooks("webhook-secret"), lambda: b"key", clock)
        desk = DeliveryDesk(store, self.deliveries, self.queue, clock)
        self.api = Api(ROUTES, Webhooks(desk, self.secrets), "none", clock)

    def call(self, method: str, path: str) -> ParsedResponse:
        return ParsedResponse.read(self.api.handle(api_event(method, path)))

    def notices(self) -> list[Notice | None]:
        return [parse_notice(json.dumps(body)) for body in self.queue.bodies()]


@pytest.fixture
def calls(store: JobStore, ledger: Ledger, aws: boto3.Session, clock: FakeClock) -> Calls:
    return Calls(store, ledger, aws.client("sqs"), clock)


@pytest.fixture
def job(store: JobStore) -> Job:
    """Return a job that has ended and has a webhook."""
    job = make_job(status="resolved", output=make_output(), notify=URL)
    store.create(job)
    return job


def attempt(calls: Calls, notice: Notice, entry: Entry, next_at: int | None = None) -> None:
    claimed = calls.deliveries.claim(notice, NOW)
    assert claimed
    assert calls.deliveries.record(notice, claimed, entry, next_at)


FAILED: Entry = {"at": NOW, "status": "failed", "answer": "500 Internal Server Error"}
DELIVERED: Entry = {"at": NOW + 1, "status": "delivered", "answer": "204 No Content"}


def test_deliveries_are_listed_with_the_newest_last(calls: Calls, job: Job) -> None:
    path = f"/jobs/{job.id}/deliveries"
    assert calls.call("GET", path).body == {"data": [], "host": "receiver.test:8443", "next_at": None}
    notice = Notice(job=job, due_at=NOW, since=NOW)
    attempt(calls, notice, FAILED, NOW + 5000)
    assert calls.call("GET", path).body["next_at"] == NOW + 5000
    attempt(calls, replace(notice, attempts=1), DELIVERED)
    answer = calls.call("GET", path)
    assert (answer.status, answer.body["data"], answer.body["next_at"]) == (200, [FAILED, DELIVERED], None)
    assert "token" not in json.dumps(answer.body)


def test_deliveries_of_an_expired_job_with_the_same_id_are_not_listed(calls: Calls, store: JobStore) -> None:
    job = make_job(status="resolved", output=make_output(), notify=URL, created_at=NOW + 10)
    store.create(job)
    earlier = replace(job, created_at=NOW - 1000)
    attempt(calls, Notice(job=earlier, requested=4, due_at=NOW, since=NOW), FAILED)
    assert calls.call("GET", f"/jobs/{job.id}/deliveries").body["data"] == []
    calls.call("POST", f"/jobs/{job.id}/deliveries")
    assert calls.notices() == [Notice(job=job, requested=1, due_at=NOW, since=NOW)]


def test_a_webhook_is_sent_again(calls: Calls, job: Job) -> None:
    path = f"/jobs/{job.id}/deliveries"
    first = Notice(job=job, due_at=NOW, since=NOW)
    assert calls.call("POST", path).status == 202
    assert calls.notices() == [replace(first, requested=1)], "it may be requested before the first attempt"
    attempt(calls, first, DELIVERED)
    for _ in range(2):
        assert calls.call("POST", path).body["data"] == [DELIVERED]
    assert calls.notices() == [replace(first, requested=1)] * 2, "of two requests at once, one has an effect"
    attempt(calls, replace(first, requested=1), DELIVERED)
    calls.call("POST", path)
    assert calls.notices() == [replace(first, requested=2)]
    (again,) = {notice.webhook_id for notice in (first, replace(first, requested=2))}
    assert job.id in again


@pytest.mark.parametrize(
    ("values", "reason"),
    [({"status": "resolved", "output": make_output()}, "without notify"), ({"notify": URL}, "has not ended")],
)
def test_a_webhook_is_not_sent_again_if(
    calls: Calls, store: JobStore, values: dict[str, Any], reason: str
) -> None:
    job = make_job(**values)
    store.create(job)
    answer = calls.call("POST", f"/jobs/{job.id}/deliveries")
    assert (answer.status, reason in answer.body["detail"]) == (409, True)
    assert calls.notices() == []


def test_a_job_without_webhook_has_no_deliveries(calls: Calls, store: JobStore) -> None:
    job = make_job()
    store.create(job)
    answer = calls.call("GET", f"/jobs/{job.id}/deliveries")
    assert answer.body == {"data": [], "host": None, "next_at": None}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_and_malformed_ids(calls: Calls, method: str) -> None:
    assert calls.call(method, f"/jobs/{uuid4()}/deliveries").status == 404
    assert calls.call(method, "/jobs/12/deliveries").status == 400


# --- secrets ---


def test_the_secret_stays_the_same_until_it_is_replaced(calls: Calls, clock: FakeClock) -> None:
    first = calls.call("GET", "/webhooks/secret").body["secret"]
    assert first.startswith("whsec_")
    assert calls.call("GET", "/webhooks/secret").body == {"secret": first}
    second = calls.call("POST", "/webhooks/secret").body["secret"]
    assert second != first
    assert calls.call("GET", "/webhooks/secret").body == {"secret": second}
    assert calls.secrets.active("public") == [second, first]
    clock.now += OVERLAP_MS - 1
    assert calls.secrets.active("public") == [second, first]
    clock.now += 1
    assert calls.secrets.active("public") == [second]


def test_each_rotation_has_its_own_overlap_and_their_number_is_limited(
    calls: Calls, clock: FakeClock
) -> None:
    active = [calls.secrets.active("public")[0]]
    for _ in range(4):
        clock.now += 1000
        active.insert(0, calls.call("POST", "/webhooks/secret").body["secret"])
        assert calls.secrets.active("public") == active
    assert len(set(active)) == 5
    refused = calls.call("POST", "/webhooks/secret")
    assert (refused.status, "try again later" in refused.body["detail"]) == (409, True)
    clock.now += OVERLAP_MS - 3000
    assert calls.secrets.active("public") == active[:-1]
    assert calls.call("POST", "/webhooks/secret").status == 200


def test_of_two_rotations_at_once_one_is_made(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):  # the first rotation, which creates the item, and a later one
        before = calls.secrets._rotation("public")
        calls.secrets.rotate("public")
        with monkeypatch.context() as patched:
            patched.setattr(WebhookSecrets, "_rotation", lambda *_, rotation=before: rotation)
            with pytest.raises(Problem, match="409"):
                calls.secrets.rotate("public")


def test_secrets_differ_by_owner_and_key_and_are_not_stored(
    ledger: Ledger, clock: FakeClock, dynamodb: Any
) -> None:
    items = ledger.webhooks("webhook-secret")
    keys = [WebhookSecrets(items, lambda key=key: key, clock) for key in (b"a", b"b")]  # type: ignore[misc]
    secrets = [*keys[0].rotate("ann"), *keys[1].active("ann"), *keys[0].active("bob")]
    assert len(set(secrets)) == 5
    stored = json.dumps(dynamodb.scan(TableName="ledger")["Items"])
    assert not any(secret.removeprefix("whsec_") in stored for secret in secrets)


def test_the_master_key_is_fetched_again_after_five_minutes(clock: FakeClock) -> None:
    fetched = iter(["first", "second"])
    key = MasterKey(lambda: next(fetched), clock)
    assert (key(), key()) == (b"first", b"first")
    clock.now += KEY_MAX_AGE
    assert key() == b"second"


# --- sign-in ---


def test_deliveries_and_secrets_belong_to_the_owner(
    gateway: Gateway, store: JobStore, clock: FakeClock, ann: str, bob: str, olga: str
) -> None:
    job = add(store, clock, ANN, status="resolved", output=make_output(), notify=URL)
    path = f"/jobs/{job.id}/deliveries"
    for method, status in (("GET", 200), ("POST", 202)):
        assert [gateway.call(method, path, token).status for token in (ann, bob, olga)] == [
            status,
            404,
            status,
        ]
    secrets = [gateway.call("GET", "/webhooks/secret", token).body["secret"] for token in (ann, bob, olga)]
    assert len(set(secrets)) == 3
    assert gateway.call("POST", "/webhooks/secret", ann).status == 200
    after = [gateway.call("GET", "/webhooks/secret", token).body["secret"] for token in (ann, bob, olga)]
    assert [new == old for new, old in zip(after, secrets, strict=True)] == [False, True, True]
