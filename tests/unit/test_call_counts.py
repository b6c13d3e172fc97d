"""How many AWS calls a job costs: docs/performance.md quotes what is asserted here."""

from collections import Counter
from typing import Any

from functions.common.job import Job
from functions.create_job.create_job import JobIntake
from functions.create_job.job_request import JobRequest
from functions.job_counter.count_jobs import JobCounter
from functions.result_worker.record_results import record_results
from tests.unit.factories import stream_record
from tests.unit.fakes import FakeClock, Workbench

BATCH = 10
JOBS = 90
"""Nine full batches; three requests' worth of photos."""


class CountedCalls:
    """Counts the calls of boto3 clients from now on, by operation."""

    def __init__(self, *clients: Any) -> None:
        self.by_operation: Counter[str] = Counter()
        for client in clients:
            client.meta.events.register("before-call.*.*", self._count)

    def _count(self, model: Any, **_: Any) -> None:
        self.by_operation[model.name] += 1

    def take(self) -> Counter[str]:
        """The counts so far; counting begins anew."""
        counted, self.by_operation = self.by_operation, Counter()
        return counted


def test_a_job_costs_two_calls_to_accept_and_at_most_one_and_a_half_to_work(
    bench: Workbench, clock: FakeClock, dynamodb: Any
) -> None:
    calls = CountedCalls(dynamodb, bench.queues.sqs)
    intake = JobIntake(bench.store, bench.queues.jobs, clock)
    jobs = [intake.create_job(JobRequest("pasta"), None, "") for _ in range(JOBS)]
    assert calls.take() == {"PutItem": JOBS, "SendMessage": JOBS}

    worked: Counter[str] = Counter()
    for _ in range(JOBS // BATCH):
        messages = bench.queues.jobs.records()
        calls.take()  # Lambda's own receiving is not the functions'
        assert bench.worker.work(messages) == set()
        worked += calls.take()
        results = bench.queues.results.records()
        calls.take()
        assert record_results(results, bench.store) == set()
        worked += calls.take()
    counted = [record for job in jobs for record in changes(job, bench)]
    for start in range(0, len(counted), JOBS):
        calls.take()
        JobCounter(dynamodb, "ledger").count(counted[start : start + JOBS])
        worked += calls.take()

    assert len(bench.unsplash.asked) == JOBS // 30
    assert worked["UpdateItem"] < 1.3 * JOBS
    assert worked.total() / JOBS <= 1.5, worked


def changes(job: Job, bench: Workbench) -> list[dict[str, Any]]:
    """The stream's records of a job that was made and resolved."""
    resolved = bench.store.get(job.id)
    assert resolved is not None
    assert resolved.status == "resolved"
    return [stream_record(new=job), stream_record(old=job, new=resolved)]


def test_a_topic_costs_a_request_for_each_thirty_jobs(bench: Workbench) -> None:
    for _ in range(15):
        bench.add(*(["pasta"] * 3 + ["pizza"] * 3))
        assert bench.work() == set()
    asked = Counter(topic for topic, _ in bench.unsplash.asked)
    assert asked == {"pasta": 2, "pizza": 2}  # ceil(45 / 30) each
