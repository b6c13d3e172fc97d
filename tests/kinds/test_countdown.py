import pytest

from functions.common.testing import InvalidInput, run
from kinds.countdown import KIND, Output


def test_it_counts_down_and_shows_its_progress() -> None:
    result = run(KIND, {"seconds": 4})
    assert result.output == Output(seconds=4)
    assert result.progress == [(0, "4 s left"), (0.25, "3 s left"), (0.5, "2 s left"), (0.75, "1 s left")]


def test_it_counts_ten_seconds_by_default() -> None:
    assert run(KIND, {}).output == Output(seconds=10)


def test_the_longest_countdown_ends_in_time() -> None:
    assert run(KIND, {"seconds": 600}).output == Output(seconds=600)


@pytest.mark.parametrize("seconds", [0, 601, 1.5, "10", None])
def test_other_numbers_are_refused(seconds: object) -> None:
    with pytest.raises(InvalidInput, match=r"^input\.seconds: "):
        run(KIND, {"seconds": seconds})


def test_it_can_be_cancelled() -> None:
    result = run(KIND, {"seconds": 100}, cancel_after=30)
    assert result.outcome is None
    assert len(result.progress) == 30
