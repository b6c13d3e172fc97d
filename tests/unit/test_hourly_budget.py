"""An hour's budget serves 1,500 jobs, thirty per request. The tests use a budget of four."""

from dataclasses import replace

from functions.common.job import Job
from functions.job_worker.budget import RateBudget
from functions.job_worker.photo_source import PhotoSource
from tests.unit.factories import make_message, stored
from tests.unit.fakes import FakeClock, Workbench

LIMIT = 4
TOPICS = [f"topic {number}" for number in range(LIMIT)]
JOBS = 30 * LIMIT
WINDOW_SECONDS = 60


def set_budget(bench: Workbench, clock: FakeClock, limit: int) -> None:
    """Give the bench's worker a budget of `limit` requests per minute."""
    budget = RateBudget(bench.ledger, limit, WINDOW_SECONDS, clock)
    source: PhotoSource = replace(bench.source, budget=budget)
    bench.worker = replace(bench.worker, find_photos=source.find)


def work_off(bench: Workbench, jobs: list[Job]) -> set[str]:
    """Process the jobs in batches with mixed topics. Return the jobs that got a photo."""
    for start in range(0, len(jobs), 10):
        for job in jobs[start : start + 10]:
            bench.queues.jobs.send(make_message(job).body())
        assert bench.work() == set()
    served: set[str] = set()
    while results := bench.queues.results.bodies():
        served |= {result["job_id"] for result in results}
    return served


def new_jobs(bench: Workbench) -> list[Job]:
    jobs = bench.add(*(TOPICS * (JOBS // LIMIT)))
    while bench.queues.jobs.records():
        pass  # discard the messages that `add` sent; each test sends its own
    return jobs


def test_the_budget_serves_thirty_jobs_per_request(bench: Workbench, clock: FakeClock) -> None:
    set_budget(bench, clock, LIMIT)
    assert len(work_off(bench, new_jobs(bench))) == JOBS
    assert len(bench.unsplash.calls) == LIMIT


def test_jobs_beyond_the_budget_wait_for_the_next_window_and_none_fails(
    bench: Workbench, clock: FakeClock
) -> None:
    set_budget(bench, clock, LIMIT - 1)
    jobs = new_jobs(bench)
    assert len(work_off(bench, jobs)) == JOBS - 30
    assert len(bench.unsplash.calls) == LIMIT - 1
    waiting = [job for job in jobs if stored(bench.store, job).deferred_until]
    assert (len(waiting), len({job.query for job in waiting})) == (30, 1)
    assert {stored(bench.store, job).attempts for job in waiting} == {0}

    budget = bench.ledger.budget()
    assert budget is not None
    clock.now = budget.resets_at
    assert len(work_off(bench, waiting)) == 30
    assert len(bench.unsplash.calls) == LIMIT
    assert bench.queues.dead_letters.bodies() == []
