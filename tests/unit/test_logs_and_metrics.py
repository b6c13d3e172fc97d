"""The functions' log lines, by which a job's story is found, and their metrics."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from functions.change_job.change_job import JobChanger
from functions.common.errors import Permanent, RateLimited, Transient
from functions.common.identity import PUBLIC
from functions.common.job import Job
from functions.common.ledger import Window
from functions.common.observability import MetricUnit, count, measure, metrics
from functions.common.store import JobStore, JobUpdate, due
from functions.create_job.create_job import JobIntake
from functions.dlq_worker.record_failures import record_failures
from functions.job_watchdog.rescue_jobs import MAX_RESCUES, JobWatchdog
from functions.result_worker.record_results import record_results
from kinds.photo.spares import SparePhotos
from tests.embedded_metrics import check_embedded_metrics
from tests.unit.factories import (
    ADDRESS,
    CORRELATION,
    NOW,
    SALT,
    create_one,
    make_failure,
    make_job,
    make_message,
    make_photo,
    make_result,
    sqs_record,
)
from tests.unit.fakes import FakeClock, Workbench, make_watchdog
from tests.unit.faults import watch


@pytest.fixture(autouse=True)
def no_metrics_yet() -> Iterator[None]:
    metrics.clear_metrics()
    yield
    metrics.clear_metrics()


def samples(name: str) -> list[float]:
    """Return the samples that were added to a metric."""
    values: list[float] = metrics.metric_set.get(name, {"Value": []})["Value"]
    return values


def story(caplog: pytest.LogCaptureFixture, job_id: str) -> list[tuple[str, str]]:
    """Return the log messages of a job with their correlation ids."""
    lines = [record for record in caplog.records if getattr(record, "job_id", None) == job_id]
    return [(line.getMessage(), line.correlation_id) for line in lines]  # type: ignore[attr-defined]


def watchdog_of(bench: Workbench, clock: FakeClock) -> JobWatchdog:
    return make_watchdog(bench.dynamodb, {"photo": bench.queues.jobs}, clock, grace=1)


def test_every_log_line_of_a_job_has_its_correlation_id(
    bench: Workbench, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The job is deferred, lost, rescued, fails, is retried and resolved."""
    intake = JobIntake(bench.store, {"photo": bench.queues.jobs}, clock, SALT)
    job = create_one(intake, correlation_id="thread-7", query="pasta")
    bench.unsplash.errors["pasta"] = RateLimited(0)
    bench.work()
    clock.now += 2 * 3_602_000
    watchdog_of(bench, clock).run()
    bench.unsplash.errors["pasta"] = Transient("down", "down")
    bench.work()
    clock.now += 60_000
    bench.unsplash.errors["pasta"] = Permanent("no_photos", "none")
    bench.queues.jobs.send(make_message(replace(job, correlation_id="")).body())  # of an older version
    bench.work()
    record_failures(bench.queues.dead_letters.records(), bench.store, max_receives=5)
    JobChanger(bench.store, {"photo": bench.queues.jobs}, SALT).retry(job.id, PUBLIC, ADDRESS)
    clock.now += 600_001
    bench.unsplash.errors.clear()
    bench.work()
    record_results(bench.queues.results.records(), bench.store)
    assert story(caplog, job.id) == [
        (told, "thread-7")
        for told in (
            "job accepted",
            "job deferred by the rate limit",
            "job woken",
            "attempt failed",
            "job failed",
            "failure recorded",
            "job reopened",
            "job succeeded",
            "result recorded",
        )
    ]


def test_the_delayed_copy_of_an_older_versions_message_has_the_correlation_id(bench: Workbench) -> None:
    sends = watch(bench.queues.sqs, "SendMessageBatch")
    job = make_job(query="pasta")
    bench.store.create(job)
    bench.ledger.open_window("unsplash", Window(50, 0, NOW + 5000), NOW, {})
    bench.queues.jobs.send(make_message(replace(job, correlation_id="")).body())
    bench.work()
    [entry] = sends[0]["Entries"]
    assert json.loads(entry["MessageBody"])["correlation_id"] == CORRELATION


def test_a_redriven_message_keeps_the_correlation_id(
    store: JobStore, caplog: pytest.LogCaptureFixture
) -> None:
    job = make_job()
    store.create(job)
    record_failures([sqs_record(make_message(job).body())], store, max_receives=5)
    assert story(caplog, job.id) == [("failure recorded", CORRELATION)]


def test_the_correlation_id_is_not_public() -> None:
    assert CORRELATION not in json.dumps(make_job().public_view())


def test_a_job_written_by_an_older_version_can_be_read() -> None:
    item = make_job().to_item()
    del item["correlation_id"]
    assert Job.from_item(item).correlation_id == ""


def test_the_age_at_resolution_excludes_the_requested_delay(store: JobStore, clock: FakeClock) -> None:
    first, delayed, retried = make_job(), make_job(delay_seconds=2), make_job(run=2)
    for job in (first, delayed, retried):
        store.create(job)
    clock.now = NOW + 2500
    records = [sqs_record(make_result(job).body()) for job in (first, first, delayed, retried)]
    record_results(records, store)
    assert (samples("JobsResolved"), sorted(samples("AgeAtResolution"))) == ([3], [500, 2500])
    assert metrics.metric_set["AgeAtResolution"]["Unit"] == "Milliseconds"


def test_failures_are_counted_in_total_and_by_code(
    store: JobStore, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = [make_job() for _ in range(3)]
    for job, code in zip(jobs, ("no_photos", "down", "no_photos"), strict=True):
        store.create(job)
        record_failures([sqs_record(make_failure(job, code=code).body())] * 2, store, max_receives=5)
    assert sum(samples("JobsFailed")) == 3
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert [(line["code"], line["JobsFailed"]) for line in lines] == [
        ("no_photos", [1]),
        ("down", [1]),
        ("no_photos", [1]),
    ]
    for line in lines:
        check_embedded_metrics(line)
    [directive] = lines[0]["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], set(directive["Dimensions"][0])) == ("Calo", {"service", "code"})


def remaining(capsys: pytest.CaptureFixture[str]) -> list[float]:
    """Return the samples of what remains of Unsplash's budget since the last call."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "BudgetRemaining" in line]
    for line in lines:
        check_embedded_metrics(line)
        assert line["budget"] == "unsplash"
    return [value for line in lines for value in line["BudgetRemaining"]]


def test_the_remaining_budget_and_spare_photos_are_measured(
    bench: Workbench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.add("pasta", "pasta")
    bench.work()
    assert (remaining(capsys), samples("SparePhotos")) == ([49, 7], [28])  # 7 is what Unsplash says
    bench.add("pasta")
    bench.work()
    assert (remaining(capsys), samples("SparePhotos")) == ([], [28, 27])
    bench.unsplash.errors["pizza"] = RateLimited(0)
    for _ in range(2):  # asked in vain, then not asked at all
        bench.add("pizza")
        bench.work()
    assert remaining(capsys) == [6, 0, 0]
    assert samples("UnsplashRequests") == [1, 1]


def test_a_failed_request_counts_against_the_budget(
    bench: Workbench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.unsplash.errors["pasta"] = Transient("down", "down")
    bench.add("pasta")
    bench.work()
    assert remaining(capsys) == [49]


def test_a_wait_that_another_message_has_begun_is_not_counted_as_deferred(bench: Workbench) -> None:
    bench.unsplash.errors["pizza"] = RateLimited(0)
    [job] = bench.add("pizza")
    bench.store.update_all([JobUpdate(make_message(job), due(NOW + 60_000))])
    bench.work()
    bench.add("pizza")
    bench.work()
    assert samples("JobsDeferred") == [1]


def test_the_watchdog_counts_rescued_and_lost_jobs_separately(
    bench: Workbench, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    late = NOW - 5000
    jobs: list[Job] = [
        make_job(due_at=late),
        make_job(due_at=late),
        make_job(due_at=late, rescues=MAX_RESCUES),
    ]
    for job in jobs:
        bench.store.create(job)
    watchdog_of(bench, clock).run()
    counted = {name: sum(samples(name)) for name in ("JobsLate", "JobsRescued", "JobsLost", "JobsFailed")}
    assert counted == {"JobsLate": 3, "JobsRescued": 2, "JobsLost": 1, "JobsFailed": 1}
    assert '"code":"lost"' in capsys.readouterr().out


def test_taking_from_an_empty_lot_is_not_measured(bench: Workbench) -> None:
    spares = SparePhotos(bench.ledger.items("photo"))
    spares.put("pasta", [make_photo()], NOW)
    spares.take("pasta", 5)
    spares.take("pasta", 5)
    assert samples("SparePhotos") == [0]


def test_every_line_of_metrics_is_valid_for_cloudwatch(capsys: pytest.CaptureFixture[str]) -> None:
    """A line may have at most a hundred values, however many samples an invocation has."""
    for number in range(250):
        measure("AgeAtResolution", number, MetricUnit.Milliseconds)
        count("JobsResolved")
    metrics.flush_metrics()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    for line in lines:
        check_embedded_metrics(line)
    assert sorted(value for line in lines for value in line["AgeAtResolution"]) == list(range(250))
