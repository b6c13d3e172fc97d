from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from functions.common.job import shard_number
from functions.common.observability import metrics
from functions.common.store import JobStore, JobUpdate, due
from functions.job_watchdog.rescue_jobs import MAX_RESCUES, RUN_SECONDS, JobWatchdog
from tests.unit.factories import NOW, make_job, make_message, stored
from tests.unit.fakes import GRACE, FakeClock, Queues, ReadableQueue, make_watchdog
from tests.unit.faults import on_call, refused, watch

GRACE_MS = 1000 * GRACE
LATE = NOW - GRACE_MS


@pytest.fixture
def watchdog(dynamodb: Any, queues: Queues, clock: FakeClock) -> JobWatchdog:
    reports = (queues.results, queues.dead_letters)
    return make_watchdog(dynamodb, {"photo": queues.jobs}, clock, reports=reports)


@pytest.mark.parametrize("rescues", range(MAX_RESCUES))
def test_an_overdue_job_is_woken(
    watchdog: JobWatchdog, queues: Queues, store: JobStore, rescues: int
) -> None:
    jobs = [make_job(due_at=LATE, rescues=rescues, run=2) for _ in range(12)]
    assert all(store.create(job) for job in jobs)
    watchdog.run()
    watchdog.run()
    assert [stored(store, job) for job in jobs] == [
        replace(job, rescues=rescues + 1, wake_at=NOW + GRACE_MS) for job in jobs
    ]
    messages = queues.jobs.bodies() + queues.jobs.bodies()
    assert {(body["job_id"], body["run"]) for body in messages} == {(job.id, 2) for job in jobs}
    assert len(messages) == 12


def test_the_time_between_wake_ups_doubles(
    watchdog: JobWatchdog, queues: Queues, store: JobStore, clock: FakeClock
) -> None:
    queues.results.send('"somebody else"')
    store.create(make_job(due_at=NOW))
    wakes = []
    for minutes in range(0, 480, 15):
        clock.now = NOW + 60_000 * minutes
        watchdog.run()
        wakes += [minutes] * len(queues.jobs.bodies())
    assert wakes == [15, 45, 105, 225, 465]


def test_a_job_lost_too_often_ends_in_error(watchdog: JobWatchdog, queues: Queues, store: JobStore) -> None:
    job = make_job(due_at=LATE, rescues=MAX_RESCUES, attempts=1)
    store.create(job)
    watchdog.run()
    ended = stored(store, job)
    assert ended.error
    assert (ended.status, ended.error["code"], ended.error["attempts"]) == ("error", "lost", 1)
    assert (ended.version, ended.due_at, queues.jobs.bodies()) == (2, None, [])


@pytest.mark.parametrize("place", ["jobs", "results", "dead_letters"])
def test_a_wake_up_beside_other_messages_is_no_sign_of_a_loss(
    watchdog: JobWatchdog, queues: Queues, store: JobStore, clock: FakeClock, place: str
) -> None:
    """A job that waits in a backlog is woken but never lost, whichever queue it waits in."""
    getattr(queues, place).send('"somebody else"')
    job = make_job(due_at=LATE, rescues=MAX_RESCUES)
    store.create(job)
    for _ in range(5):
        watchdog.run()
        clock.now += 100 * GRACE_MS
    after = stored(store, job)
    assert (after.status, after.rescues) == ("pending", MAX_RESCUES)
    bodies = queues.jobs.bodies()
    assert len([body for body in bodies if body != "somebody else"]) == 3


def test_messages_that_wait_for_their_time_do_not_hide_a_loss(
    watchdog: JobWatchdog, queues: Queues, store: JobStore
) -> None:
    queues.jobs.send('"somebody else"', delay=900)
    job = make_job(due_at=LATE)
    store.create(job)
    watchdog.run()
    assert stored(store, job).rescues == 1


@pytest.mark.parametrize(
    "values", [{"due_at": LATE + 1}, {"due_at": None}, {"due_at": LATE, "status": "error"}]
)
def test_a_job_that_is_not_late_or_has_ended_is_not_changed(
    watchdog: JobWatchdog, queues: Queues, store: JobStore, values: dict[str, Any]
) -> None:
    job = make_job(**values)
    store.create(job)
    watchdog.run()
    assert stored(store, job) == job
    assert queues.jobs.bodies() == []


@pytest.mark.parametrize(
    ("wait", "delay"), [(900_000, 900), (899_001, 900), (5_000, 5), (0, 0), (-GRACE_MS, 0)]
)
def test_a_parked_job_is_sent_with_the_remaining_delay(
    watchdog: JobWatchdog, queues: Queues, store: JobStore, wait: int, delay: int
) -> None:
    sends = watch(queues.sqs, "SendMessageBatch")
    job = make_job(due_at=NOW + wait, parked=True)
    store.create(job)
    watchdog.run()
    watchdog.run()
    assert [entry["DelaySeconds"] for send in sends for entry in send["Entries"]] == [delay]
    assert stored(store, job) == replace(job, parked=False, wake_at=max(NOW, NOW + wait) + max(1000, -wait))


def test_a_parked_job_stays_in_the_table_until_a_message_can_wait_for_it(
    watchdog: JobWatchdog, queues: Queues, store: JobStore
) -> None:
    job = make_job(due_at=NOW + 900_001, parked=True)
    store.create(job)
    watchdog.run()
    assert (stored(store, job), queues.jobs.bodies()) == (job, [])


@pytest.mark.parametrize("values", [{"due_at": LATE}, {"due_at": LATE, "parked": True}])
def test_a_pending_job_of_a_kind_that_does_not_exist_any_more_ends_when_it_is_overdue(
    watchdog: JobWatchdog, queues: Queues, store: JobStore, values: dict[str, Any]
) -> None:
    retired, good = make_job(kind="retired", **values), make_job(**values)
    waiting = make_job(kind="retired", **{**values, "due_at": LATE + 1})
    assert all(store.create(job) for job in (retired, good, waiting))
    watchdog.run()
    ended = stored(store, retired)
    assert ended.error
    assert (ended.status, ended.error["code"]) == ("error", "retired")
    assert stored(store, waiting) == waiting
    assert [body["job_id"] for body in queues.jobs.bodies()] == [good.id]


def test_the_backlog_of_another_kind_does_not_hide_a_loss(
    watchdog: JobWatchdog, queues: Queues, store: JobStore
) -> None:
    other = ReadableQueue(queues.sqs, "other")
    other.send('"somebody else"')
    jobs = [make_job(due_at=LATE, kind=kind) for kind in ("photo", "other")]
    assert all(store.create(job) for job in jobs)
    replace(watchdog, queues={"photo": queues.jobs, "other": other}).run()
    assert [stored(store, job).rescues for job in jobs] == [1, 0]


def test_many_overdue_jobs_do_not_starve_parked_ones(
    watchdog: JobWatchdog, queues: Queues, store: JobStore, clock: FakeClock
) -> None:
    """Every step takes a quarter of a run here, so that the run ends during the first round."""
    parked = make_job(due_at=NOW, parked=True)
    overdue = [make_job(due_at=LATE) for _ in range(120)]
    overdue = [job for job in overdue if shard_number(job.id) == 0] + [parked]
    assert all(store.create(job) for job in overdue)

    def time_passes(**_: Any) -> None:
        clock.now += RUN_SECONDS * 250

    with on_call(queues.sqs, "SendMessageBatch", time_passes):
        watchdog.run()
    assert stored(store, parked).parked is False


def test_a_run_ends_and_the_next_continues(
    watchdog: JobWatchdog, queues: Queues, store: JobStore, clock: FakeClock
) -> None:
    jobs = [job for job in (make_job(due_at=LATE - 1000) for _ in range(900)) if shard_number(job.id) == 0]
    assert len(jobs) > 101
    assert all(store.create(job) for job in jobs)

    def time_passes(**_: Any) -> None:
        clock.now += RUN_SECONDS * 1000

    with on_call(queues.sqs, "SendMessageBatch", time_passes):
        watchdog.run()
    woken = sum(stored(store, job).wake_at != job.wake_at for job in jobs)
    assert woken == 100
    watchdog.run()
    assert all(stored(store, job).wake_at != job.wake_at for job in jobs)


def test_a_job_that_changes_during_the_check_keeps_its_change(
    watchdog: JobWatchdog, queues: Queues, store: JobStore
) -> None:
    job = make_job(due_at=LATE)
    store.create(job)
    defer = JobUpdate(make_message(job), due(NOW + 1), visible=False)
    with on_call(queues.sqs, "SendMessageBatch", lambda **_: store.update_all([defer]) and None):
        watchdog.run()
    assert stored(store, job) == replace(job, due_at=NOW + 1, wake_at=NOW + 1)


def test_a_rescue_counts_only_if_it_was_sent(watchdog: JobWatchdog, queues: Queues, store: JobStore) -> None:
    job = make_job(due_at=LATE)
    store.create(job)
    for _ in range(MAX_RESCUES + 2):
        with refused(queues.sqs, "SendMessageBatch"), refused(queues.sqs, "SendMessage"):
            watchdog.run()
    assert stored(store, job) == job
    watchdog.run()
    assert (stored(store, job).rescues, len(queues.jobs.bodies())) == (1, 1)


def test_a_wake_up_that_cannot_be_recorded_is_sent_again(
    watchdog: JobWatchdog, queues: Queues, store: JobStore, dynamodb: Any
) -> None:
    store.create(make_job(due_at=LATE))
    with refused(dynamodb, "UpdateItem"):
        watchdog.run()
    watchdog.run()
    assert len(queues.jobs.bodies()) == 2


def test_a_run_that_is_too_short_is_reported_and_a_complete_one_is_not(
    watchdog: JobWatchdog, queues: Queues, store: JobStore, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        store.create(make_job(due_at=NOW, parked=True))
    metrics.clear_metrics()

    def time_passes(**_: Any) -> None:
        clock.now += RUN_SECONDS * 1000

    with on_call(queues.sqs, "SendMessageBatch", time_passes):
        watchdog.run()
    assert metrics.metric_set["WatchdogBehind"]["Value"] == [1.0]
    assert "run ended before its work was done" in caplog.text
    metrics.clear_metrics()
    for _ in range(3):
        watchdog.run()
    assert "WatchdogBehind" not in metrics.metric_set


def test_many_jobs_that_are_due_in_one_minute_take_one_step_per_hundred(
    watchdog: JobWatchdog, queues: Queues, store: JobStore, dynamodb: Any
) -> None:
    """The number of calls is what limits how many are sent within a run."""
    jobs = [make_job(due_at=NOW, parked=True) for _ in range(120)]
    assert all(store.create(job) for job in jobs)
    operations = ("Query", "BatchGetItem", "UpdateItem")
    calls = {name: watch(dynamodb, name) for name in operations}
    sends = watch(queues.sqs, "SendMessageBatch")
    watchdog.run()
    assert not any(stored(store, job).parked for job in jobs)
    sizes = Counter(shard_number(job.id) for job in jobs).values()
    assert len(calls["UpdateItem"]) == 120
    assert len(calls["BatchGetItem"]) == sum(-(-size // 100) for size in sizes)
    assert len(sends) == sum(-(-size // 10) for size in sizes)
