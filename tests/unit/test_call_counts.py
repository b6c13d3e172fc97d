"""The number of AWS calls per job, which docs/performance.md quotes."""

from collections import Counter, defaultdict
from typing import Any

import pytest
from msgspec import Struct

from bench.calls import FULL, LONE, Calls
from functions.common.job import Job
from functions.common.kind import Budget, Context, Kind
from functions.create_job.create_job import JobIntake
from functions.job_counter.count_jobs import JobCounter
from functions.result_worker.record_results import record_results
from tests.unit.factories import SALT, create_one, make_job, make_message, sqs_record, stream_record
from tests.unit.fakes import FakeClock, Workbench

JOBS_COUNTED = 90
"""Changes that the counter receives together from a backlog."""


class CountedCalls:
    """Counts the calls of boto3 clients by operation."""

    def __init__(self, *clients: Any) -> None:
        self.by_operation: Counter[str] = Counter()
        for client in clients:
            client.meta.events.register("before-call.*.*", self._count)

    def _count(self, model: Any, **_: Any) -> None:
        self.by_operation[model.name] += 1

    def take(self) -> Counter[str]:
        """Return the counts and reset them."""
        counted, self.by_operation = self.by_operation, Counter()
        return counted


@pytest.mark.parametrize("calls", [FULL, LONE], ids=["full batches", "one by one"])
def test_a_job_makes_the_calls_that_the_cost_model_prices(
    calls: Calls, bench: Workbench, clock: FakeClock, dynamodb: Any
) -> None:
    counted = CountedCalls(dynamodb, bench.queues.sqs)
    by_function: dict[str, Counter[str]] = defaultdict(Counter)
    intake = JobIntake(bench.store, {"photo": bench.queues.jobs}, clock, SALT)
    jobs = []
    for _ in range(0, calls.jobs, calls.batch):
        counted.take()
        jobs += [create_one(intake, query="pasta") for _ in range(calls.batch)]
        by_function["create_job"] += counted.take()
        messages = bench.queues.jobs.records()
        counted.take()  # Lambda's own receiving is not the functions'
        assert bench.worker.work(messages, 60) == set()
        by_function["job_worker"] += counted.take()
        results = bench.queues.results.records()
        counted.take()
        assert record_results(results, bench.store) == set()
        by_function["result_worker"] += counted.take()
    records = [record for job in jobs for record in changes(job, bench)]
    together = JOBS_COUNTED if calls is FULL else 1
    for start in range(0, len(records), together):
        counted.take()
        JobCounter(bench.ledger).count(records[start : start + together])
        by_function["job_counter"] += counted.take()
    assert by_function == calls.by_function
    assert len(bench.unsplash.calls) == calls.jobs // 30


def test_a_job_takes_two_calls_to_create_and_at_most_one_and_a_half_to_process() -> None:
    accepted = FULL.by_function["create_job"]
    assert accepted == {"PutItem": FULL.jobs, "SendMessageBatch": FULL.jobs}
    worked = sum((Counter(calls) for calls in FULL.by_function.values()), Counter()) - Counter(accepted)
    assert worked["UpdateItem"] < 1.3 * FULL.jobs
    assert worked.total() / FULL.jobs <= 1.5


def changes(job: Job, bench: Workbench) -> list[dict[str, Any]]:
    """Return the stream records of a job that was created and resolved."""
    resolved = bench.store.get(job.id)
    assert resolved is not None
    assert resolved.status == "resolved"
    return [stream_record(new=job), stream_record(old=job, new=resolved)]


def test_thirty_jobs_of_a_topic_take_one_request(bench: Workbench) -> None:
    for _ in range(15):
        bench.add(*(["pasta"] * 3 + ["pizza"] * 3))
        assert bench.work() == set()
    asked = Counter(topic for topic, _ in bench.unsplash.calls)
    assert asked == {"pasta": 2, "pizza": 2}  # ceil(45 / 30) each


SMALL = Budget("small", limit=2, seconds=60)


class Nothing(Struct):
    pass


def silent(_: Nothing, __: Context) -> Nothing:
    return Nothing()


def with_progress(_: Nothing, context: Context) -> Nothing:
    for number in range(30):  # within three seconds, at 0, 1 and 2
        context.progress(number / 30)
        context.sleep(0.1)
    return Nothing()


def with_budget(_: Nothing, context: Context) -> Nothing:
    context.spend(SMALL)
    return Nothing()


ALONE = {"BatchGetItem": 1, "SendMessageBatch": 1, "UpdateItem": 1}
"""Read the job, send its outcome, record it."""


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (silent, [ALONE, ALONE]),
        (with_progress, [ALONE | {"UpdateItem": 4}] * 2),
        (with_budget, [ALONE | {"UpdateItem": 3}, ALONE | {"UpdateItem": 2}]),  # the first opens the window
    ],
)
def test_a_job_without_a_batch_makes_three_calls_and_those_of_its_work(
    work: Any, expected: list[dict[str, int]], bench: Workbench, dynamodb: Any
) -> None:
    """docs/kinds.md quotes them."""
    bench.use(Kind("test", "Test", Nothing, Nothing, work, budgets=(SMALL,)))
    counted = CountedCalls(dynamodb, bench.queues.sqs)
    for calls in expected:
        job = make_job(kind="test", input={})
        bench.store.create(job)
        counted.take()
        bench.worker.work([sqs_record(make_message(job).body())], 60)
        worked = counted.take()
        results = bench.queues.results.records()
        counted.take()
        record_results(results, bench.store)
        assert worked + counted.take() == calls
