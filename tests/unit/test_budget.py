from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functions.common.budget import MARGIN_MS, SHARES, Limits, SharedBudget
from functions.common.errors import RateLimited
from functions.common.ledger import Ledger, Window
from tests.unit.factories import CALLER, NOW
from tests.unit.fakes import FakeClock

WINDOW_MS = 3_600_000 + MARGIN_MS
END = NOW + WINDOW_MS


@pytest.fixture
def budget(ledger: Ledger, clock: FakeClock) -> SharedBudget:
    return SharedBudget("calls", Limits(limit=3, seconds=3600, share=3), ledger, clock)


def written(budget: SharedBudget) -> Window | None:
    return budget.ledger.window(budget.name)


def spend(budget: SharedBudget, *callers: str) -> int | None:
    """Spend a request. Return None, or when the next request is available."""
    try:
        budget.spend(callers or [CALLER])
    except RateLimited as limit:
        return limit.retry_at
    return None


def test_the_first_request_opens_a_window(budget: SharedBudget, clock: FakeClock) -> None:
    assert spend(budget) is None
    assert written(budget) == Window(limit=3, remaining=2, resets_at=END)
    clock.now += 1000
    assert [spend(budget) for _ in range(3)] == [None, None, END]
    assert written(budget) == Window(limit=3, remaining=0, resets_at=END)


def test_a_window_ends_at_its_time(budget: SharedBudget, clock: FakeClock) -> None:
    budget.spend([CALLER])
    budget.exhaust()
    clock.now = END - 1
    assert spend(budget) == END
    clock.now = END
    assert spend(budget) is None
    assert written(budget) == Window(limit=3, remaining=2, resets_at=END + WINDOW_MS)


@pytest.mark.parametrize("before", [0, 2])
def test_no_request_is_spent_twice(budget: SharedBudget, before: int) -> None:
    for _ in range(before):
        budget.spend([CALLER])
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: spend(budget), range(16)))
    assert answers.count(None) == 3 - before


@pytest.mark.parametrize(
    ("header", "later", "remaining"),
    [(0, 0, 0), (1, 0, 1), (40, 0, 2), (None, 0, 2), (0, WINDOW_MS, 2)],
    ids=["nothing", "less", "more", "no header", "of an old window"],
)
def test_a_header_can_only_lower_the_current_window(
    budget: SharedBudget, clock: FakeClock, header: int | None, later: int, remaining: int
) -> None:
    budget.spend([CALLER])
    clock.now += later
    budget.correct(header)
    assert written(budget) == Window(limit=3, remaining=remaining, resets_at=END)


@pytest.mark.parametrize(("used", "later"), [(False, 0), (True, 0), (True, WINDOW_MS)])
def test_an_exhausted_budget_resets_when_the_window_ends(
    budget: SharedBudget, clock: FakeClock, used: bool, later: int
) -> None:
    if used:
        budget.spend([CALLER])
    clock.now += later
    assert budget.exhaust() == END + later
    assert spend(budget) == END + later


def shared(ledger: Ledger, clock: FakeClock) -> SharedBudget:
    return SharedBudget("calls", Limits(limit=10, seconds=3600, share=4), ledger, clock)


def test_a_caller_can_take_a_share_and_the_rest_stays_available(ledger: Ledger, clock: FakeClock) -> None:
    budget = shared(ledger, clock)
    greedy = [spend(budget, "a") for _ in range(6)]
    last_sixth = END - 600_000
    assert greedy == [None] * 4 + [last_sixth] * 2
    assert [spend(budget, "b") for _ in range(5)] == [None] * 4 + [last_sixth]
    assert [spend(budget, "c") for _ in range(3)] == [None] * 2 + [END]
    assert ledger.window("calls") == Window(limit=10, remaining=0, resets_at=END)


def test_in_the_last_sixth_of_a_window_the_rest_is_for_everyone(ledger: Ledger, clock: FakeClock) -> None:
    budget = shared(ledger, clock)
    assert [spend(budget, "a") for _ in range(5)] == [None] * 4 + [END - 600_000]
    clock.now = END - 600_001
    assert spend(budget, "a") == END - 600_000
    clock.now += 1
    assert [spend(budget, "a") for _ in range(7)] == [None] * 6 + [END]


def test_a_new_window_has_new_shares(ledger: Ledger, clock: FakeClock) -> None:
    budget = shared(ledger, clock)
    for _ in range(4):
        budget.spend(["a"])
    clock.now = END
    assert [spend(budget, "a") for _ in range(5)] == [None] * 4 + [END + WINDOW_MS - 600_000]


def test_a_shared_request_is_charged_to_the_first_caller_with_a_share(
    ledger: Ledger, clock: FakeClock
) -> None:
    budget = shared(ledger, clock)
    assert [spend(budget, "a", "b") for _ in range(9)] == [None] * 8 + [END - 600_000]


def test_budgets_of_different_names_are_independent(
    budget: SharedBudget, ledger: Ledger, clock: FakeClock
) -> None:
    other = SharedBudget("downloads", Limits(limit=1, seconds=60, share=1), ledger, clock)
    assert ledger.windows(["calls", "downloads"]) == {}
    assert [spend(other), spend(budget)] == [None, None]
    assert spend(other) == NOW + 60_000 + MARGIN_MS
    assert spend(budget) is None
    assert ledger.windows(["calls", "downloads", "unused"]) == {
        "calls": Window(limit=3, remaining=1, resets_at=END),
        "downloads": Window(limit=1, remaining=0, resets_at=NOW + 60_000 + MARGIN_MS),
    }


def test_spending_returns_what_remains(budget: SharedBudget) -> None:
    assert [budget.spend([CALLER]) for _ in range(3)] == [2, 1, 0]


def test_the_shares_stay_small(ledger: Ledger, dynamodb: Any, clock: FakeClock) -> None:
    budget = SharedBudget("calls", Limits(limit=1000, seconds=3600, share=1000), ledger, clock)
    for number in range(120):
        budget.spend([f"caller {number}"])
    item = dynamodb.get_item(TableName="ledger", Key={"pk": {"S": "budget#calls"}})["Item"]
    assert 40 < len(item["shares"]["M"]) <= SHARES
