"""Whatever a kind's work does, each job has an outcome, and it is the right one."""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from functions.common.errors import Cancelled, Permanent, RateLimited, Transient
from functions.common.job import MAX_JSON
from functions.common.kind import BatchJob, Context, Kind
from functions.common.store import JobStore
from functions.job_worker.time_limit import TimedOut, time_limit
from tests.unit.factories import NOW, make_job, make_message, stored
from tests.unit.fakes import FakeClock, Workbench
from tests.unit.faults import refused


class Input(Struct, frozen=True):
    number: Annotated[int, Meta(ge=0)] = 0


class Output(Struct, frozen=True):
    text: Annotated[str, Meta(max_length=100_000)] = ""
    part: float = 0.5


def kind_of(work: Callable[..., Any], **options: Any) -> Kind:
    return Kind("test", "Test", Input, Output, work, **options)


def raises(error: BaseException) -> Callable[..., Any]:
    def work(_: Input, __: Context) -> Output:
        raise error

    return work


def run(bench: Workbench, kind: Kind, *numbers: int) -> list[Any]:
    """Work on one job for each number. Return their states afterwards: (status, attempts, error code)."""
    jobs = [make_job(kind="test", input={"number": number}) for number in numbers]
    for job in jobs:
        bench.store.create(job)
        bench.queues.jobs.send(make_message(job).body())
    bench.use(kind)
    bench.work()
    results = {body["job_id"]: body for body in bench.queues.results.bodies()}
    failures = {body["job_id"]: body for body in bench.queues.dead_letters.bodies()}
    states: list[tuple[Any, ...]] = []
    for job in jobs:
        if job.id in results:
            states.append(("resolved", results[job.id]["output"]))
        elif job.id in failures:
            states.append(("failed", failures[job.id]["code"], failures[job.id]["message"]))
        else:
            after = stored(bench.store, job)
            states.append(("pending", after.attempts, after.deferred_until))
    return states


def test_an_output_is_sent_as_json(bench: Workbench) -> None:
    kind = kind_of(lambda job_input, _: Output(text=f"ü{job_input.number}"))
    assert run(bench, kind, 5) == [("resolved", '{"text":"ü5","part":0.5}')]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (Permanent("no_words", "none"), ("failed", "no_words", "none")),
        (Transient("down", "down"), ("pending", 1, None)),
        (ZeroDivisionError("a secret"), ("pending", 1, None)),
        (SystemExit(1), ("pending", 1, None)),
        (RateLimited(NOW + 60_000), ("pending", 0, NOW + 60_000)),
        (RateLimited(NOW - 1000), ("pending", 0, NOW)),
        (RateLimited(NOW // 1000), ("pending", 1, None)),
        (RateLimited("soon"), ("pending", 1, None)),  # type: ignore[arg-type]  # a bug of the kind
        *(
            (RateLimited(wrong), ("pending", 1, None))  # type: ignore[arg-type]
            for wrong in (float("nan"), float("inf"), -1, 10**30, NOW + 33 * 24 * 3600 * 1000)
        ),
        (TimedOut(), ("pending", 1, None)),
    ],
)
def test_an_error_has_its_outcome(bench: Workbench, error: BaseException, state: tuple[Any, ...]) -> None:
    assert run(bench, kind_of(raises(error)), 0) == [state]


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (Transient("down", "it is down"), ("failed", "down", "it is down")),
        (
            ZeroDivisionError("a secret"),
            ("failed", "failed", "the work failed unexpectedly (ZeroDivisionError)"),
        ),
        (TimedOut(), ("failed", "timeout", "the work took longer than 60 s")),
        (Permanent("Bad Code!", "m"), ("failed", "failed", "m")),
        (Permanent("code", "\ud800" + "x" * 1000), ("failed", "code", "?" + "x" * 499)),
    ],
)
def test_the_last_attempt_reports_its_error(
    bench: Workbench, error: BaseException, failure: tuple[str, ...]
) -> None:
    assert run(bench, kind_of(raises(error), attempts=1), 0) == [failure]


def test_the_traceback_of_an_unexpected_error_is_only_in_the_log(
    bench: Workbench, caplog: pytest.LogCaptureFixture
) -> None:
    run(bench, kind_of(raises(ZeroDivisionError("a secret")), attempts=1), 0)
    [record] = [record for record in caplog.records if record.getMessage() == "the work failed unexpectedly"]
    assert record.exc_info
    assert "a secret" in str(record.exc_info[1])
    assert record.kind == "test"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"text": "x"}, "the work returned dict instead of Output"),
        (None, "the work returned NoneType instead of Output"),
        (Output(text=5), "the output is not as declared: Expected `str`, got `int` - at `$.text`"),  # type: ignore[arg-type]
        (
            Output(part=float("nan")),
            "the output is not as declared: Expected `float`, got `null` - at `$.part`",
        ),
        (Output(text="\ud800"), "the output is not as declared"),
        (Output(text=object()), "the output is not as declared"),  # type: ignore[arg-type]
        (Output(text="x" * MAX_JSON), "the output has 32790 bytes; store more than 32768 as a file"),
    ],
)
def test_an_output_that_is_not_as_declared_is_a_bug_of_the_kind(
    bench: Workbench, value: Any, message: str
) -> None:
    [(status, code, shown)] = run(bench, kind_of(lambda _, __: value), 0)
    assert (status, code) == ("failed", "bad_output")
    assert shown.startswith(message)


def test_an_input_of_an_earlier_declaration_that_is_refused_now_is_permanent(bench: Workbench) -> None:
    kind = kind_of(lambda _, __: Output())
    [refused, accepted] = run(bench, kind, -1, 1)
    assert refused[:2] == ("failed", "bad_input")
    assert accepted[0] == "resolved"


def test_the_backoff_is_that_of_the_kind_and_limited(bench: Workbench) -> None:
    for attempts, seconds in ((0, 100), (1, 200), (10, 3600)):
        job = make_job(kind="test", input={}, attempts=attempts)
        bench.store.create(job)
        bench.queues.jobs.send(make_message(job).body())
        bench.use(kind_of(raises(Transient("down", "down")), attempts=20, retry_seconds=100))
        bench.work()
        assert stored(bench.store, job).due_at == NOW + 1000 * seconds


# --- batches ---


def batch_of(work: Callable[[list[BatchJob[Input]], Context], Iterator[Any]], **options: Any) -> Kind:
    return kind_of(work, batch=10, **options)


def test_each_job_of_a_batch_has_its_own_outcome(bench: Workbench) -> None:
    def work(jobs: list[BatchJob[Input]], _: Context) -> Iterator[Any]:
        values = [
            Output(),
            Permanent("no", "no"),
            Transient("down", "m"),
            RateLimited(NOW + 9000),
            ValueError(),
        ]
        for job in reversed(jobs):
            yield job, [*values, "text", None][job.input.number] if job.input.number < 7 else None

    states = run(bench, batch_of(work), *range(6))
    assert [state[:2] for state in states] == [
        ("resolved", '{"text":"","part":0.5}'),
        ("failed", "no"),
        ("pending", 1),
        ("pending", 0),
        ("pending", 1),
        ("failed", "bad_output"),
    ]


def test_a_job_that_is_not_yielded_counts_as_failed(bench: Workbench) -> None:
    def work(jobs: list[BatchJob[Input]], _: Context) -> Iterator[Any]:
        yield jobs[0], Output()

    assert run(bench, batch_of(work, attempts=1), 0, 1) == [
        ("resolved", '{"text":"","part":0.5}'),
        ("failed", "failed", "the work had no outcome for this job"),
    ]


@pytest.mark.parametrize("error", [Permanent("no", "m"), KeyError("x")])
def test_an_error_of_a_batch_keeps_the_outcomes_before_it(bench: Workbench, error: Exception) -> None:
    def work(jobs: list[BatchJob[Input]], _: Context) -> Iterator[Any]:
        yield jobs[0], Output()
        raise error

    code = "no" if isinstance(error, Permanent) else "failed"
    states = run(bench, batch_of(work, attempts=1), 0, 1, 2)
    assert [state[:2] for state in states[1:]] == [("failed", code)] * 2
    assert states[0][0] == "resolved"


def test_only_the_job_that_was_running_is_blamed_for_a_timeout(bench: Workbench) -> None:
    def work(jobs: list[BatchJob[Input]], _: Context) -> Iterator[Any]:
        for job in jobs:
            if job.input.number == 2:
                raise TimedOut
            yield job, Output()

    states = run(bench, batch_of(work), 0, 1, 2, 3)
    assert [state[:2] for state in states[2:]] == [("pending", 1), ("pending", 0)]
    assert [state[0] for state in states[:2]] == ["resolved", "resolved"]
    [copy] = bench.queues.jobs.bodies()
    assert bench.store.get(copy["job_id"]).input == {"number": 3}  # type: ignore[union-attr]


def test_a_cancelled_job_of_a_batch_is_dropped_and_the_others_run_again(bench: Workbench) -> None:
    def work(jobs: list[BatchJob[Input]], _: Context) -> Iterator[Any]:
        for job in jobs:
            if job.input.number == 1:
                bench.store.cancel(bench.store.get(job.id))  # type: ignore[arg-type]
            job.context.progress(0.5)
            yield job, Output()

    states = run(bench, batch_of(work), 0, 1, 2)
    assert states[0][0] == "resolved"
    assert states[2] == ("pending", 0, None)
    [copy] = bench.queues.jobs.bodies()
    assert bench.store.get(copy["job_id"]).input == {"number": 2}  # type: ignore[union-attr]


def test_an_unknown_job_that_is_yielded_is_a_bug_of_the_kind(bench: Workbench) -> None:
    def work(jobs: list[BatchJob[Input]], _: Context) -> Iterator[Any]:
        yield replace(jobs[0], id="other"), Output()

    assert run(bench, batch_of(work), 0) == [("pending", 1, None)]


# --- time ---


def test_work_that_takes_too_long_is_interrupted_even_if_it_catches_exceptions() -> None:
    caught: list[str] = []
    began = time.monotonic()

    def stubborn() -> None:
        while True:
            try:
                time.sleep(10)
            except TimedOut:
                if caught:
                    raise
                caught.append("once")
            except Exception:  # noqa: BLE001
                caught.append("never")

    with pytest.raises(TimedOut), time_limit(0.05):
        stubborn()
    assert caught == ["once"]
    assert time.monotonic() - began < 5
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_time_limit_is_that_of_the_kind_or_what_remains_of_the_functions_time(
    bench: Workbench, clock: FakeClock
) -> None:
    deadlines = []

    def work(_: Input, context: Context) -> Output:
        deadlines.append(context.deadline)
        bench.time.seconds += 7
        deadlines.append(context.deadline)
        return Output()

    bench.use(kind_of(work, timeout=30))
    for seconds in (60, 10):
        job = make_job(kind="test", input={})
        bench.store.create(job)
        bench.queues.jobs.send(make_message(job).body())
        bench.worker.work(bench.queues.jobs.records(), seconds)
    assert deadlines == [30, 23, 10, 3]


def test_a_cancelled_job_stops_at_the_next_progress_or_sleep(bench: Workbench) -> None:
    steps = []

    def work(_: Input, context: Context) -> Output:
        context.progress(0.1)
        cancelled = bench.store.get(context.id)
        assert cancelled
        bench.store.cancel(cancelled)
        began = bench.time.seconds
        try:
            context.sleep(60)
        except Cancelled:
            steps.append(bench.time.seconds - began)
            raise
        return Output()

    [state] = run(bench, kind_of(work), 0)
    assert state[0] == "pending"  # no message was sent, and the table says that it is cancelled
    assert steps[0] <= 1
    assert bench.queues.jobs.bodies() == []


def test_messages_of_another_kind_or_run_are_ignored(bench: Workbench, store: JobStore) -> None:
    bench.use(kind_of(lambda _, __: Output()))
    jobs = [make_job(kind="other"), make_job(kind="test", run=2, input={})]
    for job in jobs:
        store.create(job)
        bench.queues.jobs.send(make_message(replace(job, run=1)).body())
    assert bench.work() == set()
    assert bench.queues.results.bodies() == []


def test_a_released_job_that_cannot_be_sent_keeps_its_message(bench: Workbench) -> None:
    def work(jobs: list[BatchJob[Input]], _: Context) -> Iterator[Any]:
        raise TimedOut
        yield

    jobs = [make_job(kind="test", input={}) for _ in range(2)]
    for job in jobs:
        bench.store.create(job)
        bench.queues.jobs.send(make_message(job).body())
    bench.use(batch_of(work))

    with refused(bench.queues.sqs, "SendMessageBatch"), refused(bench.queues.sqs, "SendMessage"):
        redelivered = bench.work()
    # the first job has used an attempt, so its message returns, too
    assert redelivered == {make_message(job).body() for job in jobs}
    assert sorted(stored(bench.store, job).attempts for job in jobs) == [0, 1]
