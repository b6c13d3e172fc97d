"""Webhooks, from the notice in the queue to the receiver, with moto's tables and a fake receiver."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import requests
from standardwebhooks.webhooks import Webhook

from functions.common.deliveries import CLAIM_MS, MAX_ENTRIES, Deliveries
from functions.common.errors import Poison
from functions.common.http.destinations import NotAllowed
from functions.common.job import MAX_JSON, Job
from functions.common.notice import Notice, parse_notice
from functions.webhook_sender.send_webhooks import RETRY_SECONDS
from tests.unit.factories import NOW, make_job, make_output, sqs_record, stream_record
from tests.unit.webhook_desk import URL, Desk, ending, make_ended

POISON = ["", "{}", "[]", "null", "5", "[" * 100_000, '{"job": {}, "requested": 0}', '{"dynamodb": 5}',
          '{"dynamodb": {"OldImage": {}, "NewImage": {}}}']  # fmt: skip


def test_a_webhook_is_signed_and_has_the_public_view_of_the_job(desk: Desk) -> None:
    job = make_ended()
    desk.end(job)
    desk.run()
    ((url, headers, body),) = desk.receiver.received
    assert url == URL
    assert json.loads(body) == {
        "type": "job.resolved", "timestamp": "2025-10-09T08:53:20.000Z", "data": job.public_view(),
    }  # fmt: skip
    (secret,) = desk.secrets.active("public")
    assert (
        Webhook(secret).sign(headers["webhook-id"], _at(headers), body.decode())
        == headers["webhook-signature"]
    )
    assert headers["webhook-timestamp"] == str(NOW // 1000)
    assert "." not in headers["webhook-id"]
    assert URL.encode() not in body
    assert desk.state(job).entries == [{"at": NOW, "status": "delivered", "answer": "204 No Content"}]
    assert (desk.sent, desk.state(job).next_at) == ([], None)


def _at(headers: dict[str, str]) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)


def test_a_delivery_makes_the_calls_that_are_priced(desk: Desk, dynamodb: Any) -> None:
    """See bench/cost: two reads and two writes."""
    made: list[str] = []
    dynamodb.meta.events.register("before-call.dynamodb.*", lambda model, **_: made.append(model.name))
    desk.end(make_ended())
    desk.run()
    assert sorted(made) == ["GetItem", "GetItem", "UpdateItem", "UpdateItem"]


@pytest.mark.parametrize("status", ["resolved", "error", "cancelled"])
def test_every_end_has_its_type(desk: Desk, status: str) -> None:
    error = {"code": "c", "message": "m", "attempts": 1} if status == "error" else None
    desk.end(make_ended(status=status, output=None, error=error))
    desk.run()
    assert desk.receiver.types == [f"job.{status}"]


def test_only_the_end_of_a_job_with_a_webhook_is_a_notice() -> None:
    job, pending = make_ended(), make_job(notify=URL)
    for body in (
        ending(replace(job, notify=None)),
        ending(job, status="resolved"),
        json.dumps(stream_record(new=pending, old=pending)),
        json.dumps(stream_record(new=pending)),
        json.dumps(stream_record(new=pending, old=job)),
        json.dumps(stream_record(old=job)),
    ):
        assert parse_notice(body) is None
    assert parse_notice(ending(job)) == Notice(job=job, due_at=0, since=NOW)


@pytest.mark.parametrize(
    "job",
    [
        make_ended(),
        make_ended(owner="a" * 32, input={"query": "é \U0001f600 \x7f \ud7ff"}, run=3),
        make_ended(status="error", output=None, error={"code": "c", "message": "m", "attempts": 1}),
    ],
)
def test_a_notice_survives_the_queue(job: Job) -> None:
    notice = Notice(job=job, requested=2, attempts=3, due_at=NOW + 1, since=NOW)
    assert parse_notice(notice.body()) == notice
    assert notice.body().isascii()


@pytest.mark.parametrize("character", ["x", '"', "\\", "\x01", "é", "€", "\U0001f600"])
def test_the_largest_notice_fits_into_a_message(character: str) -> None:
    encoded = len(json.dumps(character, ensure_ascii=False).encode()) - 2
    text = character * ((MAX_JSON - 20) // encoded)
    job = make_ended(kind="x", input={"text": text}, output={"text": text})
    assert len(Notice(job=job, due_at=0, since=0).body()) < 256 * 1024


@pytest.mark.parametrize("body", POISON)
def test_a_message_that_is_no_notice_becomes_a_dead_letter(desk: Desk, body: str) -> None:
    with pytest.raises(Poison):
        parse_notice(body)
    job = make_ended()
    records = [sqs_record(body, "bad"), sqs_record(ending(job), "good")]
    assert desk.sender.send(records) == {"bad"}
    assert len(desk.receiver.received) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("attempts", "0"), ("due_at", 1.5), ("requested", True), ("since", None)]
)
def test_a_notice_has_the_types_of_its_fields(name: str, value: Any) -> None:
    body = json.loads(Notice(job=make_ended(), due_at=0, since=0).body())
    with pytest.raises(Poison):
        parse_notice(json.dumps({**body, name: value}))


def test_a_failed_delivery_is_tried_again_at_the_documented_times(desk: Desk) -> None:
    desk.receiver.answers = [500]
    job = make_ended()
    desk.end(job)
    attempts: list[int] = []
    desk.receiver.during = lambda: attempts.append(desk.clock.now)
    desk.run_until(NOW + 48 * 3600 * 1000)
    waits = [(later - earlier) / 1000 for earlier, later in pairwise(attempts)]
    assert waits == [5, 30, 300, 1800, 7200, 28_800, 39_600]
    assert tuple(waits) == RETRY_SECONDS
    assert len({headers["webhook-id"] for _, headers, _ in desk.receiver.received}) == 1
    assert len({body for _, _, body in desk.receiver.received}) == 1
    assert len({headers["webhook-signature"] for _, headers, _ in desk.receiver.received}) == 8
    (dead,) = desk.dead_letters.bodies()
    assert (dead["requested"], dead["attempts"], dead["due_at"], dead["since"]) == (1, 0, 0, 0)
    assert [entry["answer"] for entry in desk.state(job).entries] == ["500 Internal Server Error"] * 8
    assert desk.state(job).next_at is None


def test_a_dead_letter_that_is_moved_back_is_a_new_delivery(desk: Desk) -> None:
    desk.receiver.answers = [500] * 8 + [200]  # type: ignore[assignment]
    job = make_ended()
    desk.end(job)
    desk.run_until(NOW + 48 * 3600 * 1000)
    (dead,) = desk.dead_letters.bodies()
    desk.end(job, json.dumps(dead))
    desk.run()
    assert len(desk.receiver.received) == 9
    assert desk.state(job).delivered_at == desk.clock.now


@pytest.mark.parametrize(
    ("failure", "answer"),
    [
        (301, "301 Moved Permanently"),
        (404, "404 Not Found"),
        (599, "599"),
        (requests.Timeout("x"), "no answer within 10 seconds"),
        (requests.exceptions.SSLError("secret"), "the certificate is not valid"),
        (requests.ConnectionError("10.0.0.1 refused"), "it could not be reached"),
        (NotAllowed("10.0.0.1 is not a public address"), "its address is not public"),
        (UnicodeError("label too long"), "it could not be reached"),
    ],
)
def test_the_answer_of_a_failed_attempt_is_recorded(desk: Desk, failure: Any, answer: str) -> None:
    desk.receiver.answers = [failure]
    job = make_ended()
    desk.end(job)
    desk.run()
    assert desk.state(job).entries == [{"at": NOW, "status": "failed", "answer": answer}]
    assert desk.state(job).next_at == NOW + 5000


def test_repeated_notices_have_no_effect(desk: Desk) -> None:
    desk.receiver.answers = [500, 500, 204]
    job = make_ended()
    for _ in range(3):
        desk.end(job)
    desk.run()
    assert len(desk.receiver.received) == 1
    desk.sent *= 2
    desk.run_until(NOW + 3600 * 1000)
    desk.end(job)
    desk.run()
    assert len(desk.receiver.received) == 3
    assert desk.sent == []


def test_a_notice_that_two_senders_get_at_once_is_sent_by_one_and_not_lost(desk: Desk) -> None:
    """The second one must not just delete the message: the first may crash."""
    job = make_ended()

    def get_it_again() -> None:
        assert desk.sender.send([sqs_record(ending(job))]) == set()
        assert len(desk.sent) == 1

    desk.receiver.during = get_it_again
    desk.end(job)
    desk.run()
    assert len(desk.receiver.received) == 1
    desk.receiver.during = lambda: None
    desk.run_until(NOW + 60_000)
    assert len(desk.receiver.received) == 1
    assert desk.sent == []


def test_an_older_end_is_not_sent_after_a_newer_one(desk: Desk) -> None:
    desk.receiver.answers = [500, 204]
    failed = make_ended(status="error", output=None, error={"code": "c", "message": "m", "attempts": 1})
    desk.end(failed)
    desk.run()
    desk.end(replace(failed, status="resolved", error=None, output=make_output(), run=2, version=5))
    desk.run_until(NOW + 3600 * 1000)
    assert desk.receiver.types == ["job.error", "job.resolved"]
    desk.end(failed)
    desk.run()
    assert desk.receiver.types == ["job.error", "job.resolved"]


def test_a_newer_end_waits_until_the_older_one_was_sent(desk: Desk) -> None:
    """Otherwise the older one could arrive later than the newer one."""
    older = make_ended(status="cancelled", output=None)
    newer = replace(older, status="resolved", output=make_output(), run=2)
    order = []

    def end_again() -> None:
        desk.receiver.during = lambda: None
        desk.sender.send([sqs_record(ending(newer))])
        order.append("older")

    desk.receiver.during = end_again
    desk.end(older)
    desk.run()
    assert desk.receiver.types == ["job.cancelled"]
    desk.run_until(NOW + 60_000)
    assert desk.receiver.types == ["job.cancelled", "job.resolved"]


def test_a_job_that_was_created_again_after_it_expired_is_newer(desk: Desk) -> None:
    job = make_ended(run=3)
    desk.end(job)
    desk.run()
    desk.end(replace(job, created_at=NOW + 40 * 24 * 3600 * 1000, run=1))
    desk.run()
    assert len({headers["webhook-id"] for _, headers, _ in desk.receiver.received}) == 2


@pytest.mark.parametrize("crash", ["before the answer", "before the successor", "before the record"])
def test_a_sender_that_crashes_repeats_the_attempt(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, crash: str
) -> None:
    class Crash(BaseException):
        pass

    def die(*_: Any, **__: Any) -> Any:
        raise Crash

    job = make_ended()
    desk.receiver.answers = [500, 204]
    with monkeypatch.context() as patched:
        if crash == "before the answer":
            desk.receiver.during = die
        elif crash == "before the successor":
            patched.setattr(desk, "send", die)
        else:
            patched.setattr(desk.deliveries, "record", die)
        with pytest.raises(Crash):
            desk.sender.send([sqs_record(ending(job))])
    desk.receiver.during = lambda: None
    sent = len(desk.sent)
    desk.end(job)  # its message is redelivered
    desk.run_until(NOW + CLAIM_MS + 600_000)
    assert desk.state(job).delivered_at is not None
    assert len(desk.receiver.received) <= 3
    assert (desk.sent, sent) == ([], 1 if crash == "before the record" else 0)


def test_a_claim_that_takes_too_long_is_not_used(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request must end before the claim does."""
    real = desk.deliveries.claim

    def slow(notice: Notice, now: int) -> Any:
        claimed = real(notice, now)
        desk.clock.now += 21_000
        return claimed

    monkeypatch.setattr(Deliveries, "claim", lambda _, notice, now: slow(notice, now))
    assert desk.sender.send([sqs_record(ending(make_ended()))]) == {"m1"}
    assert desk.receiver.received == []


def test_the_number_of_remembered_attempts_is_limited(desk: Desk) -> None:
    job = make_ended()
    for number in range(1, MAX_ENTRIES + 5):
        desk.end(job, Notice(job=job, requested=number, due_at=NOW, since=NOW).body())
        desk.run()
    assert len(desk.receiver.received) == MAX_ENTRIES + 4
    assert len(desk.state(job).entries) == MAX_ENTRIES
