"""A job whose work fails is retried, ended, or made to wait."""

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.common.errors import Permanent, RateLimited, Transient
from tests.unit.factories import NOW, make_failure, make_message, stored
from tests.unit.fakes import FakeClock, Workbench
from tests.unit.faults import refused, watch

DOWN = Transient("unavailable", "Unsplash is unavailable (500)")
NONE = Permanent("no_photos", "Unsplash has no photos")

WINDOW_MS = 3_610_000


@pytest.mark.parametrize(("attempts", "backoff"), [(0, 10), (1, 20)])
def test_a_transient_failure_is_retried_after_a_backoff(
    bench: Workbench, attempts: int, backoff: int
) -> None:
    hides = watch(bench.queues.sqs, "ChangeMessageVisibility")
    bench.unsplash.errors["bad"] = DOWN
    [job, _] = bench.add("bad", "pasta", attempts=attempts)
    assert bench.work() == {make_message(job).body()}
    assert stored(bench.store, job) == replace(job, attempts=attempts + 1, due_at=NOW + 1000 * backoff)
    assert [hide["VisibilityTimeout"] for hide in hides] == [backoff]
    assert bench.queues.dead_letters.bodies() == []


@pytest.mark.parametrize(("error", "attempts"), [(DOWN, 3), (NONE, 1), (NONE, 2)])
def test_a_permanent_or_last_failure_is_sent_to_the_dead_letter_queue(
    bench: Workbench, error: Permanent | Transient, attempts: int
) -> None:
    bench.unsplash.errors["bad"] = error
    [job, _] = bench.add("bad", "pasta", attempts=attempts - 1)
    assert bench.work() == set()
    reason: dict[str, Any] = {"code": error.code, "message": error.message, "attempts": attempts}
    assert bench.queues.dead_letters.bodies() == [json.loads(make_failure(job, **reason).body())]
    assert stored(bench.store, job) == job
    assert len(bench.queues.results.bodies()) == 1


@pytest.mark.parametrize(
    ("operation", "error"),
    [("ChangeMessageVisibility", DOWN), ("SendMessageBatch", NONE), ("SendMessageBatch", RateLimited(0))],
)
def test_a_message_whose_outcome_cannot_be_reported_is_redelivered(
    bench: Workbench, operation: str, error: Exception
) -> None:
    bench.unsplash.errors["bad"] = error
    [job] = bench.add("bad")
    with refused(bench.queues.sqs, operation), refused(bench.queues.sqs, "SendMessage"):
        assert bench.work() == {make_message(job).body()}


def test_a_rate_limited_job_waits_without_using_an_attempt(bench: Workbench, clock: FakeClock) -> None:
    sends = watch(bench.queues.sqs, "SendMessageBatch")
    bench.unsplash.errors["pasta"] = RateLimited(0)
    [job] = bench.add("pasta")
    for version, until in ((2, NOW + WINDOW_MS), (3, NOW + 2 * WINDOW_MS)):
        assert bench.work() == set()
        waiting = replace(job, deferred_until=until, due_at=until, version=version, updated_at=clock.now)
        assert stored(bench.store, job) == waiting
        call = sends.pop()
        [entry] = call["Entries"]
        assert (call["QueueUrl"], entry["DelaySeconds"]) == (bench.queues.jobs.url, 900)
        clock.now = until
        bench.queues.jobs.send(entry["MessageBody"])
    bench.unsplash.errors.clear()
    assert bench.work() == set()
    assert [body["job_id"] for body in bench.queues.results.bodies()] == [job.id]


@pytest.mark.parametrize(("remaining", "delay"), [(WINDOW_MS, 900), (900_000, 900), (100_000, 103), (1, 3)])
def test_a_long_wait_takes_several_messages_and_leaves_the_job_unchanged(
    bench: Workbench, remaining: int, delay: int
) -> None:
    sends = watch(bench.queues.sqs, "SendMessageBatch")
    [job] = bench.add("pasta", deferred_until=NOW + remaining, version=2)
    assert bench.work() == set()
    assert bench.unsplash.calls == []
    assert stored(bench.store, job) == job
    assert [entry["DelaySeconds"] for entry in sends[0]["Entries"]] == [delay]
