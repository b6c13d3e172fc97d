"""A sample of `make simulate`, another one for each commit, and the tools that it needs."""

import subprocess
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from functions.common.observability import logger
from tests.simulation.explore import Case, crash_points, random_case, shrink
from tests.simulation.mutants import FOLDER, patches
from tests.simulation.run import run
from tests.simulation.scenarios import SCENARIOS

SAMPLE = 90
"""One of so many crash points is tried for each commit."""
SEEDS = 12
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    level = logger.log_level
    logger.setLevel("CRITICAL")
    yield
    logger.setLevel(level)


@pytest.fixture(scope="module")
def rotation() -> int:
    """Return a number that changes with each commit, or 0 without git."""
    command = ["git", "rev-parse", "--short=7", "HEAD"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    return int(done.stdout.strip() or "0", 16)


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_crash_breaks_a_guarantee(name: str, rotation: int) -> None:
    cases = [Case(name), *islice(crash_points(name), rotation % SAMPLE, None, SAMPLE)]
    assert {str(case): case.run().breaches for case in cases} == {str(case): [] for case in cases}


def test_no_pair_of_faults_breaks_a_guarantee(rotation: int) -> None:
    seeds = range(rotation % 100_000, rotation % 100_000 + SEEDS)
    results = {seed: random_case(seed).run().breaches for seed in seeds}
    assert results == {seed: [] for seed in seeds}


DEFECTS = {
    "a mark of a newer version stopped the counter forever": Case(
        "photo-from-a-request", 44, {2: "dies after"}, is_mixed=True
    ),
}
"""Cases that have broken a guarantee."""


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_does_not_return(defect: str) -> None:
    assert DEFECTS[defect].run().breaches == []


def test_a_seed_always_gives_the_same_run() -> None:
    first, second = (random_case(7).run() for _ in range(2))
    assert first.calls == second.calls
    assert len(first.calls) > 5
    assert any(call.fault for call in first.calls)


def test_a_fault_happens_where_the_plan_says() -> None:
    result = run("permanent-failure", plan={1: "dies before"})
    (call,) = [call for call in result.calls if call.fault]
    assert (call.number, call.operation) == (1, "sqs.send_message_batch flaky")
    assert len(result.calls) > len(run("permanent-failure").calls), "the caller repeats its request"


def test_a_broken_guarantee_is_found_and_its_faults_are_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that does not report what it could not send loses a job that has no watchdog."""
    monkeypatch.setattr("functions.common.queues.Queue.send_all", lambda *_: set())
    case = Case("permanent-failure", plan={0: "dies after", 3: "throttled"}, watchdog=False)
    assert "the world did not become quiet" in case.run().breaches
    assert shrink(case).plan == {}


def test_patches_of_mutants_apply_and_say_what_is_wrong() -> None:
    assert len(patches()) >= 25
    for patch in patches():
        assert patch.read_text().splitlines()[0].endswith("."), patch.name
        command = ["git", "apply", "--check", str(patch)]
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"{patch.relative_to(FOLDER)}: {done.stderr}"
