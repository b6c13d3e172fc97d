"""An hour's budget serves 1,500 jobs, thirty per request. The tests use a budget of four."""

from functions.common.budget import Limits
from functions.common.errors import Permanent
from functions.common.job import Job
from functions.common.ledger import Window
from functions.job_worker.report import SPREAD_SECONDS
from kinds.photo import UNSPLASH
from kinds.photo.spares import NONE_MS
from tests.unit.factories import make_message, stored
from tests.unit.fakes import FakeClock, Workbench

LIMIT = 3
TOPICS = [f"topic {number}" for number in range(LIMIT)]
JOBS = 30 * LIMIT
WINDOW_SECONDS = 60


def set_budget(bench: Workbench, limit: int, seconds: int, share: int) -> None:
    """Give the bench's worker another budget."""
    bench.use(bench.kind, budgets={UNSPLASH.name: Limits(limit, seconds, share)})


def window(bench: Workbench) -> Window:
    current = bench.ledger.window(UNSPLASH.name)
    assert current is not None
    return current


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


def test_the_budget_serves_thirty_jobs_per_request(bench: Workbench) -> None:
    set_budget(bench, LIMIT, WINDOW_SECONDS, LIMIT)
    assert len(work_off(bench, new_jobs(bench))) == JOBS
    assert len(bench.unsplash.calls) == LIMIT


def test_jobs_beyond_the_budget_wait_for_the_next_window_and_none_fails(
    bench: Workbench, clock: FakeClock
) -> None:
    set_budget(bench, LIMIT - 1, WINDOW_SECONDS, LIMIT - 1)
    jobs = new_jobs(bench)
    assert len(work_off(bench, jobs)) == JOBS - 30
    assert len(bench.unsplash.calls) == LIMIT - 1
    waiting = [job for job in jobs if stored(bench.store, job).deferred_until]
    assert (len(waiting), len({job.input["query"] for job in waiting})) == (30, 1)
    assert {stored(bench.store, job).attempts for job in waiting} == {0}

    clock.now = window(bench).resets_at + 1000 * SPREAD_SECONDS
    assert len(work_off(bench, waiting)) == 30
    assert len(bench.unsplash.calls) == LIMIT
    assert bench.queues.dead_letters.bodies() == []


def test_one_callers_many_topics_do_not_delay_anothers_first(bench: Workbench, clock: FakeClock) -> None:
    """One caller posts 60 topics, then another posts one: it resolves within the same window."""
    set_budget(bench, 50, 3600, 25)
    bench.unsplash.reported = None
    greedy = bench.add(*(f"topic {number}" for number in range(60)), caller="greedy")
    while bench.queues.jobs.records():
        pass
    assert len(work_off(bench, greedy)) == 25
    last_sixth = window(bench).resets_at - 600_000
    waiting = [job for job in greedy if stored(bench.store, job).deferred_until]
    assert {stored(bench.store, job).deferred_until for job in waiting} == {last_sixth}
    bench.add("owls", caller="modest")
    assert bench.work() == set()
    [result] = bench.queues.results.bodies()
    assert result["owner"] == "public"
    clock.now = last_sixth + 1000 * SPREAD_SECONDS
    assert len(work_off(bench, waiting)) == 24
    assert len(bench.unsplash.calls) == 50


def test_a_topic_without_photos_costs_one_request_in_ten_minutes(bench: Workbench, clock: FakeClock) -> None:
    bench.unsplash.errors["xyzzy"] = Permanent("no_photos", "Unsplash has no photos for “xyzzy”")
    for _ in range(10):
        bench.add("xyzzy", " XYZZY ")
        bench.work()
    failures = bench.queues.dead_letters.bodies() + bench.queues.dead_letters.bodies()
    assert {failure["code"] for failure in failures} == {"no_photos"}
    assert {failure["message"] for failure in failures} == {"Unsplash has no photos for “xyzzy”"}
    assert len(bench.unsplash.calls) == 1
    clock.now += NONE_MS + 1
    del bench.unsplash.errors["xyzzy"]
    bench.add("xyzzy")
    bench.work()
    assert (len(bench.unsplash.calls), len(bench.queues.results.bodies())) == (2, 1)
