import pytest

from functions.common.errors import Problem
from functions.common.job import created_key
from functions.common.job_filter import JobFilter
from functions.read_jobs.paging import PageRequest, encode_cursor, parse_page_request
from tests.unit.factories import NOW

SORT_KEY = created_key(NOW, "123e4567-e89b-12d3-a456-426614174000")


@pytest.mark.parametrize(
    ("parameters", "page"),
    [
        ({}, PageRequest(page=1, size=20)),
        (
            {"page": "3", "pageSize": "100", "status": "error"},
            PageRequest(page=3, size=100, wanted=JobFilter("error")),
        ),
        ({"cursor": encode_cursor(SORT_KEY), "pageSize": "1"}, PageRequest(size=1, after=SORT_KEY)),
        ({"page": "51"}, PageRequest(page=51)),
        ({"code": "c", "kind": "photo"}, PageRequest(wanted=JobFilter("error", "photo", "c"))),
        ({"since": "5", "until": "6", "page": "1"}, PageRequest(wanted=JobFilter(since=5, until=6))),
    ],
)
def test_a_valid_query_is_parsed(parameters: dict[str, str], page: PageRequest) -> None:
    assert parse_page_request(parameters) == page


@pytest.mark.parametrize("cursor", ["", "x", "ü", encode_cursor("1#2"), encode_cursor("1" + SORT_KEY)])
def test_an_invalid_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Problem, match="next_cursor"):
        parse_page_request({"cursor": cursor})


@pytest.mark.parametrize("deep", [{"page": "52"}, {"page": "12", "pageSize": "100"}, {"page": "1000000000"}])
def test_the_error_for_a_deep_page_suggests_the_cursor(deep: dict[str, str]) -> None:
    with pytest.raises(Problem, match="may start at most 1000 jobs deep; to read further, pass next_cursor"):
        parse_page_request(deep)
