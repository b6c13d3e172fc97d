"""The watchdog runs schedules: one job for each time, whatever fails."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError

from functions.common.cron import next_times
from functions.common.job import Job
from functions.common.schedule import TICKS, Schedule
from functions.common.schedule_store import ScheduleStore
from functions.common.store import JobStore, due
from functions.create_job.create_job import ID_NAMESPACE
from functions.job_watchdog.rescue_jobs import JobWatchdog
from tests.unit.factories import CALLER, NOW, make_job, make_schedule, stored
from tests.unit.fakes import GRACE, FakeClock, Queues, make_watchdog
from tests.unit.faults import on_call, refused, watch

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NINE = 1_760_000_400_000
"""The next 9:00 UTC after NOW."""


@pytest.fixture
def watchdog(dynamodb: Any, queues: Queues, clock: FakeClock) -> JobWatchdog:
    return make_watchdog(dynamodb, {"photo": queues.jobs}, clock)


@pytest.fixture
def jobs(dynamodb: Any) -> Callable[[], list[Job]]:
    """Return a function that returns all jobs of the table, in the order of their creation."""

    def read() -> list[Job]:
        items = dynamodb.scan(TableName="jobs")["Items"]
        found = [Job.from_item(item) for item in items if "#" not in item["id"]["S"]]
        return sorted(found, key=lambda job: job.created_at)

    return read


Jobs = Callable[[], list[Job]]


def current(schedules: ScheduleStore, schedule: Schedule) -> Schedule:
    now = schedules.get(schedule.id)
    assert now
    return now


def add(schedules: ScheduleStore, **values: Any) -> Schedule:
    schedule = make_schedule(**values)
    schedules.create(schedule)
    return schedule


def test_a_schedule_that_is_due_creates_one_job_and_moves_on(
    watchdog: JobWatchdog, schedules: ScheduleStore, queues: Queues, jobs: Jobs
) -> None:
    schedule = add(schedules, owner="0" * 32, input={"query": "pasta"})
    watchdog.run()
    watchdog.run()
    [job] = jobs()
    assert (job.owner, job.kind, job.input, job.caller) == ("0" * 32, "photo", {"query": "pasta"}, CALLER)
    assert (job.created_at, job.due_at, job.wake_at, job.starts_at) == (NOW, NOW, NOW, None)
    assert [body["job_id"] for body in queues.jobs.bodies()] == [job.id]
    assert current(schedules, schedule) == replace(
        schedule, wake_at=NINE, last_run={"at": NOW, "job": job.id}, version=2
    )


@pytest.mark.parametrize("values", [{"wake_at": NOW + 1}, {"paused": True}])
def test_a_schedule_that_is_not_due_or_paused_creates_nothing(
    watchdog: JobWatchdog, schedules: ScheduleStore, dynamodb: Any, jobs: Jobs, values: dict[str, Any]
) -> None:
    """It is not even read."""
    schedule = add(schedules, **values)
    reads = watch(dynamodb, "BatchGetItem")
    watchdog.run()
    assert (jobs(), reads, current(schedules, schedule)) == ([], [], schedule)


def test_every_time_has_its_own_job(
    watchdog: JobWatchdog, schedules: ScheduleStore, jobs: Jobs, clock: FakeClock
) -> None:
    add(schedules, cron="*/10 * * * *", wake_at=NINE)
    for clock.now in range(NINE, NINE + HOUR, MINUTE):
        watchdog.run()
    assert [job.created_at for job in jobs()] == list(range(NINE, NINE + HOUR, 10 * MINUTE))


@pytest.mark.parametrize("outage", [HOUR, 40 * DAY])
def test_after_an_outage_one_job_makes_up_for_all_missed_times(
    watchdog: JobWatchdog, schedules: ScheduleStore, jobs: Jobs, clock: FakeClock, outage: int
) -> None:
    schedule = add(schedules, cron="*/10 * * * *", wake_at=NINE)
    clock.now = NINE + outage + MINUTE
    for _ in range(2):
        watchdog.run()
    [job] = jobs()
    after = current(schedules, schedule)
    assert (after.wake_at, after.last_run) == (NINE + outage + 10 * MINUTE, {"at": NINE, "job": job.id})


@pytest.mark.parametrize(
    ("client", "operation"),
    [
        ("dynamodb", "PutItem"),
        ("sqs", "SendMessage"),
        ("dynamodb", "UpdateItem"),
        ("dynamodb", "BatchGetItem"),
    ],
)
def test_a_run_that_fails_at_any_call_is_completed_by_the_next_one(
    watchdog: JobWatchdog,
    schedules: ScheduleStore,
    queues: Queues,
    dynamodb: Any,
    jobs: Jobs,
    clock: FakeClock,
    client: str,
    operation: str,
) -> None:
    schedule = add(schedules)
    api = dynamodb if client == "dynamodb" else queues.sqs
    with refused(api, operation), suppress(ClientError):
        watchdog.run()
    clock.now += MINUTE
    watchdog.run()
    [job] = jobs()
    assert {body["job_id"] for body in queues.jobs.bodies()} == {job.id}
    after = current(schedules, schedule)
    assert (after.wake_at, after.last_run) == (NINE, {"at": NOW, "job": job.id})


def test_two_runs_at_the_same_time_create_one_job(
    watchdog: JobWatchdog, schedules: ScheduleStore, dynamodb: Any, jobs: Jobs
) -> None:
    schedule = add(schedules)
    others = iter([watchdog])

    def other_run(**_: Any) -> None:
        for other in others:
            other.run()

    for operation in ("PutItem", "UpdateItem"):
        with on_call(dynamodb, operation, other_run):
            watchdog.run()
    assert len(jobs()) == 1
    assert current(schedules, schedule).version == 2


@pytest.mark.parametrize(
    "values", [{"paused": True, "wake_at": None}, {"cron": "30 8 * * *", "wake_at": NINE - HOUR // 2 + DAY}]
)
def test_a_change_during_a_run_is_kept(
    watchdog: JobWatchdog, schedules: ScheduleStore, queues: Queues, jobs: Jobs, values: dict[str, Any]
) -> None:
    schedule = add(schedules)
    changes = iter([values])

    def change(**_: Any) -> None:
        for change in changes:
            assert schedules.update(schedule, change)

    with on_call(queues.sqs, "SendMessage", change):
        watchdog.run()
    assert current(schedules, schedule) == replace(schedule, **values, version=2)
    watchdog.run()
    assert len(jobs()) == 1


def test_a_schedule_that_is_deleted_during_a_run_stays_deleted(
    watchdog: JobWatchdog, schedules: ScheduleStore, queues: Queues, jobs: Jobs
) -> None:
    schedule = add(schedules)
    with on_call(queues.sqs, "SendMessage", lambda **_: schedules.delete(schedule.id) and None):
        watchdog.run()
    watchdog.run()
    assert (len(jobs()), schedules.get(schedule.id), schedules.get_all("public")) == (1, None, [])


def test_a_job_that_has_been_worked_on_already_is_not_woken_again(
    watchdog: JobWatchdog, schedules: ScheduleStore, store: JobStore, queues: Queues, dynamodb: Any
) -> None:
    """The run died before it moved the schedule on, and the job has ended or waits since."""
    schedule, second = add(schedules), add(schedules)
    waiting = replace(second.job_at(NOW, NOW), **due(NOW + HOUR, parked=True))
    ended = make_job(id=schedule.job_at(NOW, NOW).id, status="resolved")
    assert all(store.create(job) for job in (ended, waiting))
    watchdog.run()
    assert queues.jobs.bodies() == []
    assert (stored(store, ended), stored(store, waiting)) == (ended, waiting)
    assert [current(schedules, each).wake_at for each in (schedule, second)] == [NINE, NINE]


def test_the_ids_of_its_jobs_cannot_be_made_from_a_key_of_a_caller() -> None:
    schedule = make_schedule()
    assert TICKS != ID_NAMESPACE
    ids = {schedule.job_at(NOW + number, NOW).id for number in range(3)} | {
        make_schedule().job_at(NOW, NOW).id
    }
    assert len(ids) == 4
    assert schedule.job_at(NOW, NOW).id == schedule.job_at(NOW, NOW + 5).id


def test_a_schedule_whose_kind_is_gone_is_paused_with_a_reason(
    watchdog: JobWatchdog, schedules: ScheduleStore, jobs: Jobs, clock: FakeClock
) -> None:
    """But not at once: its kind may be one that is just being deployed."""
    schedule, good = add(schedules, kind="retired"), add(schedules)
    watchdog.run()
    assert current(schedules, schedule) == schedule
    clock.now += 1000 * GRACE
    watchdog.run()
    after = current(schedules, schedule)
    assert (after.paused, after.wake_at, after.updated_at) == (True, None, clock.now)
    assert after.pause_reason == "there are no jobs of kind retired any more"
    assert {job.kind for job in jobs()} == {good.kind}


@pytest.mark.parametrize("values", [{"timezone": "Europe/Atlantis"}, {"cron": "61 * * * *"}])
def test_a_schedule_without_a_next_time_is_paused_after_its_job(
    watchdog: JobWatchdog, schedules: ScheduleStore, jobs: Jobs, values: dict[str, Any]
) -> None:
    schedule = add(schedules, **values)
    watchdog.run()
    after = current(schedules, schedule)
    assert (after.paused, after.wake_at, len(jobs())) == (True, None, 1)
    assert after.pause_reason
    assert after.last_run


DAMAGE: list[dict[str, Any]] = [
    {"cron": {"N": "5"}},
    {"input": {"S": "[]"}},
    {"owner": {"NULL": True}},
    {"last_run": {"M": {"at": {"S": "x"}}}},
    {"version": {"S": "1"}},
    {"created_at": {"N": "1.5"}},
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_schedule_does_not_affect_others(
    watchdog: JobWatchdog,
    schedules: ScheduleStore,
    store: JobStore,
    dynamodb: Any,
    jobs: Jobs,
    damage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    damaged, good = make_schedule(wake_at=NOW - 1), add(schedules)
    dynamodb.put_item(TableName="jobs", Item={**damaged.to_item(), **damage})
    parked = make_job(due_at=NOW, parked=True)
    store.create(parked)
    watchdog.run()
    assert {job.id for job in jobs()} == {parked.id, good.job_at(NOW, NOW).id}
    assert stored(store, parked).parked is False
    assert [line.place for line in caplog.records if line.message == "damaged item skipped"] == ["jobs table"]  # type: ignore[attr-defined]


def test_a_job_of_a_schedule_that_is_damaged_does_not_stop_the_schedule(
    watchdog: JobWatchdog, schedules: ScheduleStore, dynamodb: Any
) -> None:
    schedule = add(schedules)
    item = {**schedule.job_at(NOW, NOW).to_item(), "version": {"S": "x"}}
    dynamodb.put_item(TableName="jobs", Item=item)
    watchdog.run()
    assert current(schedules, schedule).wake_at == NINE


def test_an_unexpected_error_affects_one_schedule_only(
    watchdog: JobWatchdog, schedules: ScheduleStore, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = add(schedules, cron="1 1 1 1 1"), add(schedules)

    def broken(cron: str, *arguments: Any) -> list[int]:
        if cron == bad.cron:
            raise ZeroDivisionError
        return next_times(cron, *arguments)

    monkeypatch.setattr("functions.job_watchdog.run_schedules.next_times", broken)
    watchdog.run()
    assert len(jobs()) == 2
    assert [current(schedules, each).wake_at for each in (bad, good)] == [NOW, NINE]


@pytest.mark.parametrize(
    ("timezone", "cron", "start", "expected"),
    [
        ("Europe/Berlin", "30 2 * * *", "2027-03-27T00:00+01:00", ["02:30+01", "03:00+02", "02:30+02"]),
        ("Europe/Berlin", "30 2 * * *", "2027-10-30T00:00+02:00", ["02:30+02", "02:30+02", "02:30+01"]),
        ("America/New_York", "30 2 * * *", "2027-03-13T00:00-05:00", ["02:30-05", "03:00-04", "02:30-04"]),
        ("America/New_York", "30 1 * * *", "2027-11-06T00:00-04:00", ["01:30-04", "01:30-04", "01:30-05"]),
        ("Australia/Lord_Howe", "45 1 * * *", "2027-04-03T00:00+11:00", ["01:45+11", "01:45+11", "01:45+10"]),
        ("Australia/Lord_Howe", "15 2 * * *", "2027-10-02T00:00+10:30", ["02:15+10", "02:30+11", "02:15+11"]),
    ],
)
def test_each_day_has_one_job_when_the_clocks_change(
    watchdog: JobWatchdog,
    schedules: ScheduleStore,
    jobs: Jobs,
    clock: FakeClock,
    timezone: str,
    cron: str,
    start: str,
    expected: list[str],
) -> None:
    """Also if the watchdog runs again while the wall clock shows the same time once more."""
    clock.now = round(datetime.fromisoformat(start).timestamp() * 1000)
    schedule = add(
        schedules, timezone=timezone, cron=cron, wake_at=next_times(cron, timezone, clock.now, 1)[0]
    )
    for _ in expected:
        time = current(schedules, schedule).wake_at or 0
        for late in (0, 10 * MINUTE, 30 * MINUTE, HOUR):
            clock.now = time + late
            watchdog.run()
    created = [datetime.fromtimestamp(job.created_at / 1000, ZoneInfo(timezone)) for job in jobs()]
    assert [f"{time:%H:%M%z}"[:-2] for time in created] == expected
