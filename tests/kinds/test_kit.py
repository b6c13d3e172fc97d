"""The test kit runs a kind as a worker does: same outcomes, with its own clock and without AWS."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from functions.common.http.download import HttpResponse
from functions.common.kind import BatchJob, Budget, Context, Kind, Permanent, RateLimited, Transient
from functions.common.testing import START_MS, Harness, InvalidInput, run
from functions.job_worker.context import UntrustedHttp

CALLS = Budget("calls", limit=2, seconds=60)


class Input(Struct, frozen=True):
    number: Annotated[int, Meta(ge=0)] = 0


class Output(Struct, frozen=True):
    value: Any = None


def kind_of(work: Callable[..., Any], **options: Any) -> Kind:
    return Kind("test", "Test", Input, Output, work, **options)


def value_of(function: Callable[[Context], Any], **options: Any) -> Kind:
    """Return a kind whose output is what a function returns for the context."""
    return kind_of(lambda _, context: Output(function(context)), **options)


def test_the_result_is_the_output() -> None:
    result = run(kind_of(lambda input, _: Output(input.number)), {"number": 5})
    assert (result.outcome, result.output) == (Output(5), Output(5))
    assert (result.progress, result.spent, result.files) == ([], {}, {})


def test_defaults_of_the_input_are_filled_in() -> None:
    assert run(kind_of(lambda input, _: Output(input.number)), {}).output == Output(0)


@pytest.mark.parametrize(
    ("job_input", "message"),
    [
        ({"number": -1}, "input.number: must be a whole number of at least 0"),
        ({"number": "5"}, "input.number: must be a whole number"),
        ({"count": 5}, "input.count: is not a field; the fields are number"),
    ],
)
def test_input_is_refused_as_the_api_refuses_it(job_input: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as error:
        run(kind_of(lambda input, _: Output(input.number)), job_input)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("error", [Permanent("c", "m"), Transient("c", "m"), RateLimited(START_MS + 5)])
def test_an_error_is_the_outcome_and_raised_with_the_output(error: Any) -> None:
    def work(_: Input, __: Context) -> Output:
        raise error

    result = run(kind_of(work), {})
    assert (type(result.outcome), result.outcome.args) == (type(error), error.args)
    with pytest.raises(type(error)):
        _ = result.output


@pytest.mark.parametrize(
    ("work", "code"),
    [
        (lambda _, __: 1 / 0, "failed"),
        (lambda _, __: "text", "bad_output"),
        (lambda _, __: Output({1, 2}), None),
        (lambda _, __: Output("x" * 33_000), "bad_output"),
    ],
)
def test_a_bug_of_the_kind_has_its_outcome(work: Callable[..., Any], code: str | None) -> None:
    assert getattr(run(kind_of(work), {}).outcome, "code", None) == code


def test_progress_is_recorded() -> None:
    def work(_: Input, context: Context) -> Output:
        context.progress(None)
        context.progress(0.25, "a quarter")
        context.progress(1 / 3)
        return Output()

    assert run(kind_of(work), {}).progress == [(None, None), (0.25, "a quarter"), (0.3333, None)]


def test_an_invalid_progress_is_a_bug() -> None:
    assert run(value_of(lambda context: context.progress(2)), {}).outcome.code == "failed"


def test_sleeping_moves_only_the_clock() -> None:
    def work(context: Context) -> list[float]:
        before = context.now()
        context.sleep(40)
        return [context.now() - before, context.deadline]

    begin = time.monotonic()
    assert run(value_of(work, timeout=60), {}).output.value == [40_000, 20]
    assert time.monotonic() - begin < 30


def test_the_clock_starts_where_the_test_says() -> None:
    assert run(value_of(lambda context: context.now()), {}, now=5_000).output.value == 5_000


@pytest.mark.parametrize(("seconds", "code"), [(59, None), (61, "timeout")])
def test_work_that_sleeps_too_long_is_interrupted(seconds: int, code: str | None) -> None:
    outcome = run(value_of(lambda context: context.sleep(seconds)), {}).outcome
    assert getattr(outcome, "code", None) == code


def test_a_job_is_cancelled_at_its_next_progress_or_sleep() -> None:
    def sleep(_: Input, context: Context) -> Output:
        for number in range(10):
            context.progress(number / 10)
            context.sleep(1)
        return Output()

    result = run(kind_of(sleep), {}, cancel_after=2.5)
    assert (result.outcome, result.output, [fraction for fraction, _ in result.progress]) == (
        None,
        None,
        [0, 0.1, 0.2],
    )
    assert run(kind_of(sleep), {}, cancel_after=20).output == Output()


def test_the_attempt_can_be_chosen() -> None:
    kind = value_of(lambda context: context.attempt)
    assert (run(kind, {}).output.value, run(kind, {}, attempt=3).output.value) == (1, 3)


def test_budgets_are_spent_and_their_windows_end() -> None:
    with Harness(value_of(lambda context: context.spend(CALLS), budgets=(CALLS,))).open() as harness:
        results = [harness.run({}) for _ in range(3)]
        assert [result.spent for result in results] == [{"calls": 1}, {"calls": 1}, {}]
        assert [result.output.value for result in results[:2]] == [1, 0]
        assert isinstance(results[2].outcome, RateLimited)
        harness.now = results[2].outcome.retry_at
        assert harness.run({}).output.value == 1


def test_what_a_third_party_reports_is_not_spent() -> None:
    exhausted = run(value_of(lambda context: context.budget(CALLS).exhaust(), budgets=(CALLS,)), {})
    assert (exhausted.spent, exhausted.output.value) == ({}, START_MS + 70_000)

    def spend_and_correct(context: Context) -> int:
        context.spend(CALLS)
        context.budget(CALLS).correct(0)
        return context.spend(CALLS)

    corrected = run(value_of(spend_and_correct, budgets=(CALLS,)), {})
    assert (corrected.spent, type(corrected.outcome)) == ({"calls": 1}, RateLimited)


def test_a_budget_or_secret_that_is_not_declared_is_a_bug() -> None:
    assert run(value_of(lambda context: context.spend("calls")), {}).outcome.code == "failed"
    kind = value_of(lambda context: context.secret("key"))
    assert run(kind, {}, secrets={"key": "k"}).outcome.code == "failed"


def test_secrets_are_given_or_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = value_of(lambda context: context.secret("api_key"), secrets=("api_key",))
    monkeypatch.delenv("API_KEY", raising=False)
    assert run(kind, {}).outcome.code == "no_secret"
    monkeypatch.setenv("API_KEY", "from the environment")
    assert run(kind, {}).output.value == "from the environment"
    assert run(kind, {}, secrets={"api_key": "given"}).output.value == "given"


def test_files_are_kept_in_memory() -> None:
    def work(context: Context) -> str:
        assert context.files
        return context.files.put(f"{context.id[:1]}/words.txt", b"a word", "text/plain")

    result = run(value_of(work, stores_files=True), {})
    [(name, content)] = result.files.items()
    assert (result.output.value, content) == (
        f"https://files.test/images/test/{name}",
        (b"a word", "text/plain"),
    )
    assert run(value_of(lambda context: context.files), {}).output.value is None


@pytest.mark.parametrize("name", ["", "/a", "../a", "a//b", "a b", "x" * 201])
def test_an_invalid_name_of_a_file_is_a_bug(name: str) -> None:
    def put(context: Context) -> None:
        assert context.files
        context.files.put(name, b"", "text/plain")

    assert run(value_of(put, stores_files=True), {}).outcome.code == "failed"


def test_the_web_can_be_replaced() -> None:
    class OnePage(UntrustedHttp):
        def get(self, url: str, headers: dict[str, str] | None = None, **_: Any) -> HttpResponse:
            return HttpResponse(200, {}, url.encode())

    kind = value_of(lambda context: context.http.get("https://example.com/").body.decode())
    assert run(kind, {}, http=OnePage()).output.value == "https://example.com/"


def test_items_outlive_a_job() -> None:
    def add(context: Context) -> int:
        update = "SET amount = if_not_exists(amount, :zero) + :one"
        values = {":zero": 0, ":one": 1}
        item = context.items.update("total", update, "attribute_not_exists(ended)", values, returns="ALL_NEW")
        return int(item["amount"]["N"]) if item else 0

    with Harness(value_of(add)).open() as harness, Harness(value_of(add)).open() as other:
        assert [harness.run({}).output.value for _ in range(2)] == [1, 2]
        assert other.run({}).output.value == 1


Jobs = list[BatchJob[Input]]


def batch_work(jobs: Jobs, context: Context) -> Iterator[tuple[BatchJob[Input], Any]]:
    context.spend(CALLS, jobs)
    for job in jobs:
        job.context.progress(0.5, str(job.input.number))
        context.sleep(job.input.number)
        yield job, Permanent("odd", "odd") if job.input.number % 2 else Output(job.input.number)


BATCH = kind_of(batch_work, batch=10, budgets=(CALLS,))


def test_a_batch_is_run_at_once() -> None:
    with Harness(BATCH).open() as harness:
        results = harness.run_batch([{"number": number} for number in (2, 3, 4)])
    outcomes = [getattr(result.outcome, "code", result.outcome) for result in results]
    assert outcomes == [Output(2), "odd", Output(4)]
    assert [result.progress for result in results] == [[(0.5, str(number))] for number in (2, 3, 4)]
    assert [result.spent for result in results] == [{"calls": 1}] * 3
    assert run(BATCH, {"number": 2}).output == Output(2)


def test_only_the_job_of_a_batch_that_takes_too_long_is_blamed() -> None:
    with Harness(BATCH).open() as harness:
        results = harness.run_batch([{"number": number} for number in (2, 70, 4)])
    assert [getattr(result.outcome, "code", result.outcome) for result in results] == [
        Output(2),
        "timeout",
        None,
    ]


def test_jobs_of_a_kind_without_batches_run_one_after_another() -> None:
    with Harness(replace(BATCH, work=lambda input, _: Output(input.number), batch=1)).open() as harness:
        results = harness.run_batch([{"number": 1}, {"number": 2}])
    assert [result.output for result in results] == [Output(1), Output(2)]
