from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.common.errors import RateLimited
from functions.common.ledger import Budget, Ledger
from functions.job_worker.budget import MARGIN_MS, RateBudget
from tests.unit.factories import NOW
from tests.unit.fakes import FakeClock

WINDOW_MS = 3_600_000 + MARGIN_MS
END = NOW + WINDOW_MS


@pytest.fixture
def budget(ledger: Ledger, clock: FakeClock) -> RateBudget:
    return RateBudget(ledger, limit=3, window_seconds=3600, clock=clock)


def written(budget: RateBudget) -> Budget | None:
    return budget.ledger.budget()


def spend(budget: RateBudget) -> int | None:
    """Spend a request. Return None, or when the next request is available."""
    try:
        budget.spend()
    except RateLimited as limit:
        return limit.retry_at
    return None


def test_the_first_request_opens_a_window(budget: RateBudget, clock: FakeClock) -> None:
    assert spend(budget) is None
    assert written(budget) == Budget(limit=3, remaining=2, resets_at=END)
    clock.now += 1000
    assert [spend(budget) for _ in range(3)] == [None, None, END]
    assert written(budget) == Budget(limit=3, remaining=0, resets_at=END)


def test_a_window_ends_at_its_time(budget: RateBudget, clock: FakeClock) -> None:
    budget.spend()
    budget.exhaust()
    clock.now = END - 1
    assert spend(budget) == END
    clock.now = END
    assert spend(budget) is None
    assert written(budget) == Budget(limit=3, remaining=2, resets_at=END + WINDOW_MS)


@pytest.mark.parametrize("before", [0, 2])
def test_no_request_is_spent_twice(budget: RateBudget, before: int) -> None:
    for _ in range(before):
        budget.spend()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: spend(budget), range(16)))
    assert answers.count(None) == 3 - before


@pytest.mark.parametrize(
    ("header", "later", "remaining"),
    [(0, 0, 0), (1, 0, 1), (40, 0, 2), (None, 0, 2), (0, WINDOW_MS, 2)],
    ids=["nothing", "less", "more", "no header", "of an old window"],
)
def test_a_header_can_only_lower_the_current_window(
    budget: RateBudget, clock: FakeClock, header: int | None, later: int, remaining: int
) -> None:
    budget.spend()
    clock.now += later
    budget.correct(header)
    assert written(budget) == Budget(limit=3, remaining=remaining, resets_at=END)


@pytest.mark.parametrize(("used", "later"), [(False, 0), (True, 0), (True, WINDOW_MS)])
def test_an_exhausted_budget_resets_when_the_window_ends(
    budget: RateBudget, clock: FakeClock, used: bool, later: int
) -> None:
    if used:
        budget.spend()
    clock.now += later
    assert budget.exhaust() == END + later
    assert spend(budget) == END + later
