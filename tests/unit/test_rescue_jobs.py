from dataclasses import replace
from typing import Any

import pytest

from functions.common.ledger import Ledger
from functions.common.store import JobStore, JobUpdate
from functions.job_watchdog.rescue_jobs import MAX_RESCUES, JobWatchdog
from functions.job_worker.watermark import STEP_MS, Watermark
from tests.unit.factories import NOW, make_job, make_message, sqs_record, stored
from tests.unit.fakes import FakeClock, Queues
from tests.unit.faults import on_call, refused, watch

GRACE = 900
LATE = NOW - 1000 * GRACE


@pytest.fixture
def watchdog(ledger: Ledger, store: JobStore, queues: Queues, clock: FakeClock) -> JobWatchdog:
    return JobWatchdog(store, ledger, queues.jobs, GRACE, clock)


@pytest.mark.parametrize("rescues", range(MAX_RESCUES))
def test_a_lost_job_is_queued_again(
    watchdog: JobWatchdog, queues: Queues, store: JobStore, rescues: int
) -> None:
    jobs = [make_job(due_at=LATE, rescues=rescues, run=2) for _ in range(12)]
    assert all(store.create(job) for job in jobs)
    watchdog.run()
    watchdog.run()
    assert [stored(store, job) for job in jobs] == [
        replace(job, rescues=rescues + 1, due_at=NOW) for job in jobs
    ]
    messages = queues.jobs.bodies() + queues.jobs.bodies()
    assert {(body["job_id"], body["run"]) for body in messages} == {(job.id, 2) for job in jobs}
    assert len(messages) == 12


def test_a_job_lost_too_often_ends_in_error(watchdog: JobWatchdog, queues: Queues, store: JobStore) -> None:
    job = make_job(due_at=LATE, rescues=MAX_RESCUES, attempts=1)
    store.create(job)
    watchdog.run()
    ended = stored(store, job)
    assert ended.error
    assert (ended.status, ended.error["code"], ended.error["attempts"]) == ("error", "lost", 1)
    assert (ended.version, ended.due_at, queues.jobs.bodies()) == (2, None, [])


@pytest.mark.parametrize(
    "values", [{"due_at": LATE + 1}, {"due_at": None}, {"due_at": LATE, "status": "error"}]
)
def test_a_job_that_is_not_late_or_has_ended_is_not_changed(
    watchdog: JobWatchdog, queues: Queues, store: JobStore, values: dict[str, Any]
) -> None:
    job = make_job(**values)
    store.create(job)
    watchdog.run()
    assert stored(store, job).due_at == values["due_at"]
    assert queues.jobs.bodies() == []


@pytest.mark.parametrize(("read_to", "messages"), [(None, 1), (NOW, 1), (NOW + 1, 2)])
def test_a_job_in_a_backlog_is_not_lost_until_much_later_messages_are_read(
    watchdog: JobWatchdog, queues: Queues, store: JobStore, ledger: Ledger, read_to: int | None, messages: int
) -> None:
    queues.jobs.send('"somebody else"')
    store.create(make_job(due_at=LATE))
    if read_to:
        Watermark(ledger).advance([sqs_record("", sent_at=read_to)])
    watchdog.run()
    assert len(queues.jobs.bodies()) == messages


def test_a_job_deferred_during_the_check_is_not_queued(
    watchdog: JobWatchdog, queues: Queues, store: JobStore
) -> None:
    job = make_job(due_at=LATE)
    store.create(job)
    defer = JobUpdate(make_message(job), {"due_at": NOW + 1}, visible=False)
    with on_call(queues.sqs, "GetQueueAttributes", lambda **_: store.update_all([defer]) and None):
        watchdog.run()
    assert (stored(store, job).due_at, queues.jobs.bodies()) == (NOW + 1, [])


def test_a_message_that_cannot_be_sent_is_sent_after_the_next_grace_period(
    watchdog: JobWatchdog, queues: Queues, store: JobStore, clock: FakeClock
) -> None:
    store.create(make_job(due_at=LATE))
    with refused(queues.sqs, "SendMessageBatch"):
        watchdog.run()
    clock.now += 1000 * GRACE
    watchdog.run()
    assert len(queues.jobs.bodies()) == 1


def test_the_watermark_increases_in_steps(dynamodb: Any, ledger: Ledger) -> None:
    writes = watch(dynamodb, "UpdateItem")
    first, second = Watermark(ledger), Watermark(ledger)
    with refused(dynamodb, "UpdateItem"):
        first.advance([sqs_record("")])
    for worker, sent_at in ((first, NOW), (first, NOW + STEP_MS - 1), (first, NOW + STEP_MS), (second, NOW)):
        worker.advance([sqs_record("", sent_at=sent_at), sqs_record("", sent_at=1)])
    assert (ledger.watermark(), len(writes)) == (NOW + STEP_MS, 4)
