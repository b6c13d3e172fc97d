"""The requests for a batch of messages, and the separate outcome of each message."""

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.common.errors import Permanent, RateLimited, Transient
from functions.common.wake import EARLY_MS
from kinds.photo.find_photos import topic
from tests.unit.factories import (
    NOW,
    POISON,
    make_job,
    make_message,
    make_result,
    sqs_record,
    stored,
)
from tests.unit.fakes import Workbench
from tests.unit.faults import refuse_entry, refused, watch

DOWN = Transient("unavailable", "Unsplash is unavailable (500)")


def photo_ids(bench: Workbench) -> list[str]:
    return sorted(json.loads(body["output"])["id"] for body in bench.queues.results.bodies())


def test_a_processed_job_sends_a_result(bench: Workbench) -> None:
    [job] = bench.add("pasta", run=2)
    assert bench.work() == set()
    result = make_result(job, id="p30", regular="https://cdn.test/p30")
    assert bench.queues.results.bodies() == [json.loads(result.body()) | {"started_at": NOW}]
    assert stored(bench.store, job) == job


def test_jobs_of_one_topic_share_a_request_and_its_spare_photos(bench: Workbench) -> None:
    bench.add("Pasta", " pasta", "ＰＡＳＴＡ", "pizza")
    assert bench.work() == set()
    assert sorted(bench.unsplash.calls) == [("pasta", 30), ("pizza", 30)]
    assert len(set(photo_ids(bench))) == 4
    for _ in range(3):
        bench.add(*["pasta"] * 9)
        assert bench.work() == set()
        assert len(set(photo_ids(bench))) == 9
    assert len(bench.unsplash.calls) == 2
    bench.add("pasta")
    bench.work()
    assert bench.unsplash.calls[2:] == [("pasta", 30)]
    window = bench.ledger.window("unsplash")
    assert window
    assert window.remaining < 7


@pytest.mark.parametrize(
    ("query", "normal"), [("Crème  Brûlée", "crème brûlée"), ("STRAẞE\u2003ﬁsh", "strasse fish")]
)
def test_topics_are_normalized(query: str, normal: str) -> None:
    assert topic(query) == normal


def test_a_topic_with_few_photos_repeats_them(bench: Workbench) -> None:
    bench.unsplash.available = 2
    bench.add("pasta", "pasta", "pasta")
    assert bench.work() == set()
    assert photo_ids(bench) == ["p30", "p30", "p31"]


def test_a_job_succeeds_if_its_spare_photos_cannot_be_stored(bench: Workbench, dynamodb: Any) -> None:
    bench.add("pasta")
    with refused(dynamodb, "UpdateItem", only=b"packed = :packed"):
        assert bench.work() == set()
    assert photo_ids(bench) == ["p30"]


def test_several_messages_of_one_job_in_a_batch_are_processed_once(bench: Workbench) -> None:
    [job] = bench.add("pasta")
    bench.queues.jobs.send(make_message(job).body())
    assert bench.work() == set()
    assert photo_ids(bench) == ["p30"]


@pytest.mark.parametrize(
    "values", [{"status": status} for status in ("resolved", "error", "cancelled")] + [{"run": 2}]
)
def test_a_job_that_is_not_pending_makes_no_request(bench: Workbench, values: dict[str, Any]) -> None:
    [job] = bench.add("pasta", **values)
    records = [sqs_record(make_message(each).body()) for each in (replace(job, run=1), make_job())]
    assert bench.worker.work(records, 60) == set()
    assert (bench.unsplash.calls, photo_ids(bench)) == ([], [])


@pytest.mark.parametrize("poison", POISON)
def test_an_unreadable_message_does_not_affect_others(bench: Workbench, poison: str) -> None:
    bench.add("pasta", "pizza")
    [first, second] = bench.queues.jobs.records()
    assert bench.worker.work([first, sqs_record(poison, "poison"), second], 60) == {"poison"}
    assert len(photo_ids(bench)) == 2


@pytest.mark.parametrize("error", [Permanent("no_photos", "none"), DOWN, RateLimited(0)])
def test_a_failing_topic_does_not_affect_other_topics_or_its_own_spares(
    bench: Workbench, error: Exception
) -> None:
    for topic_jobs in (bench.batch(*["bad"] * 29), bench.batch("pasta")):
        bench.source(topic_jobs[0].context).find(topic_jobs[0].input.query, topic_jobs)
    bench.unsplash.errors["bad"] = error
    sends = watch(bench.queues.sqs, "SendMessageBatch")
    jobs = bench.add("bad", "bad", "pasta")
    redelivered = bench.work()
    assert photo_ids(bench) == ["p59", "p61"]
    parked = [job for job in jobs if stored(bench.store, job).parked]
    assert len(redelivered) + sum(len(call["Entries"]) for call in sends) + len(parked) == 3


def test_a_failing_image_does_not_affect_others(bench: Workbench) -> None:
    bench.images.broken = frozenset(["p31"])
    bench.add("pasta", "pasta", "pasta")
    assert len(bench.work()) == 1
    assert photo_ids(bench) == ["p30", "p32"]


def test_only_the_message_of_a_refused_result_is_redelivered(bench: Workbench) -> None:
    refuse_entry(bench.queues.sqs, 1)
    sends = watch(bench.queues.sqs, "SendMessageBatch")
    bench.add("pasta", "pasta", "pasta")
    [redelivered] = bench.work()
    assert json.loads(redelivered)["job_id"] == json.loads(sends[0]["Entries"][1]["MessageBody"])["job_id"]


@pytest.mark.parametrize("early", [EARLY_MS + 1, 60_000])
def test_a_message_that_arrives_early_is_deleted_without_any_effect(bench: Workbench, early: int) -> None:
    [job] = bench.add("pasta", due_at=NOW + early, attempts=1)
    sends = watch(bench.queues.sqs, "SendMessageBatch")
    assert bench.work() == set()
    assert (bench.unsplash.calls, sends, stored(bench.store, job)) == ([], [], job)


def test_a_message_may_arrive_a_little_early_because_clocks_differ(bench: Workbench) -> None:
    bench.add("pasta", due_at=NOW + EARLY_MS)
    assert bench.work() == set()
    assert photo_ids(bench) == ["p30"]
