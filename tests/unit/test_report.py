"""A job whose work fails is retried, ended, or made to wait."""

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.common.errors import Permanent, RateLimited, Transient, WorkError
from functions.dlq_worker.record_failures import record_failures
from functions.job_worker.report import ReceivedJob
from tests.unit.factories import NOW, make_failure, make_message, sqs_record, stored
from tests.unit.fakes import FakeClock, Workbench
from tests.unit.faults import refused, watch

DOWN = Transient("unavailable", "Unsplash is unavailable (500)")
NONE = Permanent("no_photos", "Unsplash has no photos")

ENDING_SOON = RateLimited(NOW + 60_000)
WINDOW_MS = 3_610_000
SPREAD_MS = 2_500


def end_all_jobs_with(bench: Workbench, error: WorkError | RateLimited) -> None:
    bench.use(replace(bench.kind, work=lambda jobs, _: [(job, error) for job in jobs]))


@pytest.mark.parametrize(("attempts", "backoff"), [(0, 10), (1, 20)])
def test_a_transient_failure_is_retried_after_a_backoff(
    bench: Workbench, attempts: int, backoff: int
) -> None:
    hides = watch(bench.queues.sqs, "ChangeMessageVisibility")
    bench.unsplash.errors["bad"] = DOWN
    [job, _] = bench.add("bad", "pasta", attempts=attempts)
    assert bench.work() == {make_message(job).body()}
    due_at = NOW + 1000 * backoff
    failure: Any = {"at": NOW, "code": DOWN.code, "message": DOWN.message}
    assert stored(bench.store, job) == replace(
        job, attempts=attempts + 1, due_at=due_at, wake_at=due_at, failure=failure, started_at=NOW
    )
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
    [body] = bench.queues.dead_letters.bodies()
    assert body == json.loads(make_failure(job, **reason).body()) | {"started_at": NOW}
    assert stored(bench.store, job) == job
    assert len(bench.queues.results.bodies()) == 1


@pytest.mark.parametrize(
    ("operation", "error"),
    [("ChangeMessageVisibility", DOWN), ("SendMessageBatch", NONE), ("SendMessageBatch", ENDING_SOON)],
)
def test_a_message_whose_outcome_cannot_be_reported_is_redelivered(
    bench: Workbench, operation: str, error: WorkError | RateLimited
) -> None:
    end_all_jobs_with(bench, error)
    [job] = bench.add("bad")
    with refused(bench.queues.sqs, operation), refused(bench.queues.sqs, "SendMessage"):
        assert bench.work() == {make_message(job).body()}


def test_a_rate_limited_job_waits_in_the_table_without_using_an_attempt(
    bench: Workbench, clock: FakeClock
) -> None:
    sends = watch(bench.queues.sqs, "SendMessageBatch")
    bench.unsplash.errors["pasta"] = RateLimited(0)
    [job] = bench.add("pasta")
    for version, until in ((2, NOW + WINDOW_MS), (3, NOW + 2 * WINDOW_MS + SPREAD_MS)):
        assert bench.work() == set()
        waiting = replace(job, deferred_until=until, parked=True, version=version, updated_at=clock.now)
        due_at = until + SPREAD_MS
        assert stored(bench.store, job) == replace(waiting, due_at=due_at, wake_at=due_at)
        clock.now = due_at
        bench.queues.jobs.send(make_message(job).body())
    assert sends == []
    bench.unsplash.errors.clear()
    assert bench.work() == set()
    assert [body["job_id"] for body in bench.queues.results.bodies()] == [job.id]


@pytest.mark.parametrize(("remaining", "delay"), [(897_500, 900), (100_000, 103), (1, 3), (-60_000, 3)])
def test_a_short_wait_is_that_of_a_delayed_copy(bench: Workbench, remaining: int, delay: int) -> None:
    sends = watch(bench.queues.sqs, "SendMessageBatch")
    [job] = bench.add("pasta")
    end_all_jobs_with(bench, RateLimited(NOW + remaining))
    assert bench.work() == set()
    assert [entry["DelaySeconds"] for entry in sends[0]["Entries"]] == [delay]
    waiting = stored(bench.store, job)
    until = max(NOW, NOW + remaining)
    assert (waiting.deferred_until, waiting.due_at, waiting.parked) == (until, until + SPREAD_MS, False)


@pytest.mark.parametrize("outcome", [DOWN, ENDING_SOON])
def test_only_the_first_of_several_messages_about_a_due_time_has_an_effect(
    bench: Workbench, outcome: WorkError | RateLimited
) -> None:
    """Both messages are worked on at the same time; the second read the job before the first changed it."""
    hides = watch(bench.queues.sqs, "ChangeMessageVisibility")
    sends = watch(bench.queues.sqs, "SendMessageBatch")
    [job] = bench.add("pasta")
    received = ReceivedJob("m1", "r1", make_message(job), job)
    redelivered = [bench.worker.reporter.report([(received, outcome)]) for _ in range(3)]
    after = stored(bench.store, job)
    assert redelivered == [{"m1"} if outcome is DOWN else set(), set(), set()]
    assert (after.attempts, len(hides), len(sends)) == ((1, 1, 0) if outcome is DOWN else (0, 0, 1))
    assert bench.queues.dead_letters.bodies() == []


@pytest.mark.parametrize("error", [DOWN, RateLimited(0)])
def test_a_message_whose_job_cannot_be_written_is_redelivered(
    bench: Workbench, dynamodb: Any, error: Exception
) -> None:
    bench.unsplash.errors["pasta"] = error
    [job] = bench.add("pasta")
    with refused(dynamodb, "UpdateItem", only=b"wake_at"):
        assert bench.work() == {make_message(job).body()}
    assert stored(bench.store, job) == job


@pytest.mark.parametrize("repeats", [1, 5])
def test_repeated_messages_neither_use_attempts_nor_skip_the_backoff(
    bench: Workbench, clock: FakeClock, repeats: int
) -> None:
    """The third party is down. A job's message arrives again and again, between and at its due times."""
    bench.unsplash.errors["pasta"] = DOWN
    [job] = bench.add("pasta")
    tried: list[int] = []
    for _ in range(40):
        for _ in range(repeats):
            bench.worker.work([sqs_record(make_message(job).body())], 60)
            record_failures(bench.queues.dead_letters.records(), bench.store, max_receives=5)
        tried += [clock.now - NOW] * (len(bench.unsplash.calls) - len(tried))
        clock.now += 1000
    assert [round(seconds / 1000) for seconds in tried] == [0, 9, 28]  # due after 10 s and 20 s
    error = stored(bench.store, job).error
    assert error
    assert (error["code"], error["attempts"]) == ("unavailable", 3)
