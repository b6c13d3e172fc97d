import pytest

from functions.common.errors import Problem
from functions.common.job import created_key
from functions.read_jobs.paging import PageRequest, encode_cursor, parse_page_request
from tests.unit.factories import NOW

SORT_KEY = created_key(NOW, "123e4567-e89b-12d3-a456-426614174000")


@pytest.mark.parametrize(
    ("parameters", "page"),
    [
        ({}, PageRequest(page=1, size=20)),
        ({"page": "3", "pageSize": "100", "status": "error"}, PageRequest(page=3, size=100, status="error")),
        ({"cursor": encode_cursor(SORT_KEY), "pageSize": "1"}, PageRequest(size=1, after=SORT_KEY)),
        ({"page": "51"}, PageRequest(page=51)),
    ],
)
def test_a_good_query_is_read(parameters: dict[str, str], page: PageRequest) -> None:
    assert parse_page_request(parameters) == page


@pytest.mark.parametrize("cursor", ["", "x", "ü", encode_cursor("1#2"), encode_cursor("1" + SORT_KEY)])
def test_a_cursor_of_ones_own_making_is_refused(cursor: str) -> None:
    with pytest.raises(Problem, match="next_cursor"):
        parse_page_request({"cursor": cursor})


@pytest.mark.parametrize("deep", [{"page": "52"}, {"page": "12", "pageSize": "100"}, {"page": "1000000000"}])
def test_a_page_that_is_too_deep_is_pointed_to_the_cursor(deep: dict[str, str]) -> None:
    with pytest.raises(
        Problem, match="page: may start at most 1000 jobs deep; to read further, pass next_cursor"
    ):
        parse_page_request(deep)
