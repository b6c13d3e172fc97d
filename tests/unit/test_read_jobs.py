"""The GET calls, from the event of API Gateway to the table's indexes and back."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import boto3
import pytest

from functions.common import find_jobs
from functions.common.api import Api
from functions.common.attributes import to_item
from functions.common.budget import Limits
from functions.common.job import SHARDS, Job, created_key, index_keys, shard_number
from functions.common.ledger import Ledger
from functions.common.store import JobStore
from functions.job_counter.count_jobs import JobCounter
from functions.read_jobs import handler
from functions.read_jobs.handler import ROUTES
from functions.read_jobs.paging import encode_cursor
from functions.read_jobs.read_jobs import JobReader
from tests.unit.factories import NOW, ParsedResponse, api_event, make_job, stream_record
from tests.unit.fakes import FakeClock, Queues
from tests.unit.faults import alter, refused

Get = Callable[..., ParsedResponse]

ID = str(UUID(int=1))
CURSOR = encode_cursor(created_key(NOW, ID))
BAD_QUERIES = {
    "page": [{"page": text} for text in ("0", "-1", "abc", "1.5", "", "٣", "9" * 5000, "52")],
    "pageSize": [{"pageSize": text} for text in ("0", "101", "-1", "ten")],
    "cursor": [{"cursor": "broken"}, {"cursor": CURSOR, "page": "2"}],
    "status": [{"status": "done"}, {"status": ""}],
    "kind": [{"kind": ""}, {"kind": "Photo"}, {"kind": "x" * 33}, {"kind": "a#b"}],
    "code": [{"code": ""}, {"code": "a b"}, {"code": "x" * 65}, {"code": "c", "status": "pending"}],
    "since": [{"since": text} for text in ("", "-1", "1.5", "yesterday", "٣", "9" * 14)],
    "until": [{"until": ""}, {"until": "5", "since": "5"}, {"until": "4", "since": "5"}],
    "text": [{"text": text} for text in ("", "  ", "x" * 201)],
    "page ": [
        {"page": "2", **each} for each in ({"code": "c"}, {"since": "1"}, {"until": "1"}, {"text": "a"})
    ],
    "query string": [{"limit": "5"}],
}


@pytest.fixture
def get(store: JobStore, ledger: Ledger, clock: FakeClock, queues: Queues) -> Iterator[Get]:
    def send(path: str = "/jobs", **query: str) -> ParsedResponse:
        return ParsedResponse.read(api.handle(api_event(path=path, query=query or None)))

    with ThreadPoolExecutor(SHARDS) as pool:
        budgets = {"unsplash": Limits(50, 3600, 25), "mail": Limits(5, 10, 5)}
        reader = JobReader(store, ledger, budgets, {"photo": queues.jobs}, pool, clock)
        api = Api(ROUTES, reader, "none")
        yield send


def add(store: JobStore, *numbers: int, **values: Any) -> list[Job]:
    """Create jobs with these numbers as ids, created `number` milliseconds after NOW."""
    jobs = [
        make_job(id=str(UUID(int=number)), **{"created_at": NOW + number, **values}) for number in numbers
    ]
    assert all(store.create(job) for job in jobs)
    return jobs


def ids(answer: ParsedResponse) -> list[str]:
    return [job["id"] for job in answer.body["data"]]


def test_a_job_is_returned_in_its_current_state(get: Get, store: JobStore) -> None:
    [job] = add(store, 10, status="error", error={"code": "c", "message": "m", "attempts": 3}, version=4)
    answer = get(f"/jobs/{job.id.upper()}")
    assert (answer.status, list(answer.body.items())) == (200, list(job.public_view().items()))
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", [f"/jobs/{ID}", "/nothing"])
def test_an_unknown_job_or_path_returns_404(get: Get, path: str) -> None:
    answer = get(path)
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("text", ["1", "x" * 36, f"{{{ID}}}", ID.replace("-", ""), f"urn:uuid:{ID}"])
def test_an_id_must_be_a_canonical_uuid(get: Get, text: str) -> None:
    assert get(f"/jobs/{text}").problem() == (400, "id")


@pytest.mark.parametrize("field", BAD_QUERIES)
def test_an_invalid_query_names_its_parameter(get: Get, field: str) -> None:
    for query in BAD_QUERIES[field]:
        assert get(**query).problem() == (400, field.strip()), query


def test_the_list_is_newest_first_over_all_shards(get: Get, store: JobStore) -> None:
    jobs = add(store, *range(16))
    assert len({shard_number(job.id) for job in jobs}) == SHARDS
    expected = [job.id for job in reversed(jobs)]
    pages = [ids(get(pageSize="7", page=number)) for number in ("1", "2", "3", "4")]
    assert pages == [expected[:7], expected[7:14], expected[14:], []]


def test_a_page_contains_counts_and_cursors(get: Get, store: JobStore, ledger: Ledger) -> None:
    jobs = add(store, 1, 2, 3) + add(store, 4, status="resolved")
    JobCounter(ledger).count([stream_record(new=job) for job in jobs])
    page = get(pageSize="3").body
    data, cursor = page.pop("data"), page.pop("next_cursor")
    assert page == {"total": 4, "page": 1, "pageSize": 3, "totalPages": 2, "live_cursor": str(NOW)}
    assert data == [job.public_view() for job in jobs[:0:-1]]
    last = get(pageSize="3", cursor=cursor)
    assert (ids(last), last.body["next_cursor"]) == ([jobs[0].id], None)
    assert get(status="resolved").body["total"] == 1


@pytest.mark.parametrize("status", [{}, {"status": "pending"}])
def test_a_cursor_returns_every_job_once_while_jobs_are_added(
    get: Get, store: JobStore, status: dict[str, str]
) -> None:
    jobs = add(store, 1, 2, 3, 4, created_at=NOW) + add(store, *range(5, 16))
    page = get(**status, pageSize="3")
    seen = ids(page)
    for number in range(16, 25):
        add(store, number)
        if page.body["next_cursor"]:
            page = get(**status, pageSize="3", cursor=page.body["next_cursor"])
            seen += ids(page)
    assert seen == [job.id for job in reversed(jobs)]


def test_a_stale_index_does_not_add_jobs_of_another_status(get: Get, store: JobStore, dynamodb: Any) -> None:
    [pending, ended, _] = [*add(store, 1, 2), *add(store, 3, status="resolved")]
    late = make_job(id=ended.id, created_at=ended.created_at, status="resolved", version=2)
    dynamodb.put_item(TableName="jobs", Item={**late.to_item(), **to_item(index_keys(ended))})
    assert ids(get(status="pending")) == [pending.id]


def test_a_job_that_is_only_in_the_index_is_left_out(get: Get, store: JobStore, dynamodb: Any) -> None:
    [_, newer] = add(store, 1, 2)
    alter(dynamodb, "BatchGetItem", lambda answer: answer["Responses"].get("jobs", [0]).pop())
    assert ids(get()) == [newer.id]


@pytest.mark.parametrize(
    "resets_at", [None, NOW, NOW + 1], ids=["never used", "window over", "window running"]
)
def test_stats_contain_the_current_window(get: Get, dynamodb: Any, resets_at: int | None) -> None:
    if resets_at:
        used = {"pk": "budget#unsplash", "request_limit": 20, "remaining": 7, "resets_at": resets_at}
        dynamodb.put_item(TableName="ledger", Item=to_item(used))
    shown = get("/stats").body
    assert shown["counts"] == {"pending": 0, "resolved": 0, "error": 0, "cancelled": 0}
    expected = (20, 7, NOW + 1) if resets_at == NOW + 1 else (50, 50, None)
    assert tuple(shown["budget"][name] for name in ("limit", "remaining", "resets_at")) == expected
    unused = {"limit": 5, "remaining": 5, "resets_at": None}
    assert shown["budgets"] == {"unsplash": shown["budget"], "mail": unused}


@pytest.mark.parametrize("name", ["openapi", "kinds"])
def test_the_generated_documents_are_served(
    get: Get, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setattr(handler, "DOCUMENTS", tmp_path)
    (tmp_path / f"{name}.json").write_text('{"written": "at build time"}')
    answer = get("/kinds" if name == "kinds" else "/openapi.json")
    assert answer.body == {"written": "at build time"}
    assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_the_list_of_a_kind_has_its_jobs_of_all_statuses_or_of_one(
    get: Get, store: JobStore, ledger: Ledger
) -> None:
    jobs = add(store, 1, 3, kind="countdown") + add(store, 2, 4, kind="countdown", status="resolved")
    others = add(store, 5, 6)
    JobCounter(ledger).count([stream_record(new=job) for job in (*jobs, *others)])
    expected = [str(UUID(int=number)) for number in (4, 3, 2, 1)]
    page = get(kind="countdown", pageSize="3")
    assert (ids(page), page.body["total"]) == (expected[:3], 4)
    assert ids(get(kind="countdown", pageSize="3", cursor=page.body["next_cursor"])) == expected[3:]
    resolved = get(kind="countdown", status="resolved")
    assert (ids(resolved), resolved.body["total"]) == ([expected[0], expected[2]], 2)
    assert (get(kind="retired").body["data"], get(kind="retired").body["total"]) == ([], 0)
    stats = get("/stats").body
    assert stats["counts_by_kind"]["countdown"] == {"pending": 2, "resolved": 2, "error": 0, "cancelled": 0}
    assert (stats["counts"]["pending"], stats["codes"]) == (4, {})


def test_stats_name_the_oldest_pending_job_of_all_partitions(get: Get, store: JobStore) -> None:
    assert get("/stats").body["oldest_pending"] is None
    numbers = range(1, 12)
    assert len({shard_number(str(UUID(int=number))) for number in numbers}) > 1
    add(store, *numbers[2:])
    add(store, numbers[1], kind="countdown")
    add(store, numbers[0], status="resolved")
    assert get("/stats").body["oldest_pending"] == {"id": str(UUID(int=2)), "created_at": NOW + 2}


def test_stats_count_the_messages_that_wait_and_those_in_flight(
    get: Get, queues: Queues, aws: boto3.Session
) -> None:
    for _ in range(3):
        queues.jobs.send("{}")
    queues.jobs.send("{}", delay=60)
    aws.client("sqs").receive_message(QueueUrl=queues.jobs.url)
    assert get("/stats").body["queues"] == {"photo": {"waiting": 2, "running": 1}}


def test_failed_jobs_of_a_code_are_found_among_others(
    get: Get, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: dict[str, Any] = {"status": "error", "error": {"code": "rare", "message": "m", "attempts": 1}}
    common = {**failed, "error": {**failed["error"], "code": "common"}}
    add(store, *range(40), **common)
    add(store, *range(40, 43), **failed)
    add(store, *range(43, 50), **common)
    add(store, 50, 51, **failed, kind="countdown")
    add(store, 52)
    page = get(code="rare", pageSize="3")
    assert (page.body["total"], page.body["totalPages"]) == (None, None)
    assert ids(page) == [str(UUID(int=number)) for number in (51, 50, 42)]
    assert ids(get(code="rare", pageSize="3", cursor=page.body["next_cursor"])) == [
        str(UUID(int=number)) for number in (41, 40)
    ]
    assert ids(get(code="rare", kind="photo")) == [str(UUID(int=number)) for number in (42, 41, 40)]
    monkeypatch.setattr(find_jobs, "STEP", 5)
    monkeypatch.setattr(find_jobs, "MAX_EXAMINED", 10)
    page = get(code="rare", kind="photo", pageSize="2")
    assert ids(page) == [str(UUID(int=number)) for number in (42, 41)]
    pages = [get(code="common")]
    while pages[-1].body["next_cursor"]:
        pages.append(get(code="common", cursor=pages[-1].body["next_cursor"]))
    assert len(pages) > 3
    found = [job_id for page in pages for job_id in ids(page)]
    assert found == [str(UUID(int=number)) for number in (*range(49, 42, -1), *range(39, -1, -1))]


def test_jobs_of_a_time_are_found(get: Get, store: JobStore) -> None:
    add(store, *range(20))
    add(store, *range(20, 40), status="resolved")
    page = get(since=str(NOW + 5), until=str(NOW + 35), pageSize="20")
    assert (page.body["total"], page.body["page"]) == (None, 1)
    found = ids(page) + ids(get(since=str(NOW + 5), pageSize="20", cursor=page.body["next_cursor"]))
    assert found == [str(UUID(int=number)) for number in range(34, 4, -1)]
    assert ids(get(until=str(NOW + 2))) == [str(UUID(int=number)) for number in (1, 0)]
    assert ids(get(since=str(NOW + 38), status="resolved", kind="photo")) == [
        str(UUID(int=number)) for number in (39, 38)
    ]
    assert get(since=str(NOW + 40)).body["next_cursor"] is None


def test_jobs_with_a_text_are_found_and_read_in_bounded_steps(
    get: Get, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, *range(30), input={"query": "pasta"})
    add(store, 30, 31, input={"query": "Große PASTA-Teller", "count": 2})
    add(store, 32, input={"query": "Große Teller"})
    add(store, 33, status="error", input={"pasta": "sea", "count": 5})
    page = get(text="pasta", pageSize="20")
    assert page.body["total"] is None
    assert ids(page) == [str(UUID(int=number)) for number in range(31, 11, -1)]
    following = get(text="pasta", pageSize="20", cursor=page.body["next_cursor"])
    assert ids(following) == [str(UUID(int=number)) for number in range(11, -1, -1)]
    assert following.body["next_cursor"] is None
    assert ids(get(text="GROßE p")) == [str(UUID(int=number)) for number in (31, 30)]
    assert ids(get(text="sea", status="pending")) == []
    monkeypatch.setattr(find_jobs, "STEP", 5)
    monkeypatch.setattr(find_jobs, "MAX_EXAMINED", 10)
    pages = [get(text="teller")]
    while pages[-1].body["next_cursor"]:
        pages.append(get(text="teller", cursor=pages[-1].body["next_cursor"]))
    assert [job_id for page in pages for job_id in ids(page)] == [
        str(UUID(int=number)) for number in (32, 31, 30)
    ]
    assert len(pages) > 2


def test_a_job_that_moves_between_the_partitions_of_a_kind_is_listed_once(
    get: Get, store: JobStore, dynamodb: Any
) -> None:
    [job] = add(store, 1)
    entry = {"id": {"S": job.id}, "created_key": {"S": created_key(job.created_at, job.id)}}
    alter(dynamodb, "Query", lambda answer: answer.update(Items=[entry]))
    assert ids(get(kind="photo")) == [job.id]


def test_a_failing_table_returns_503(get: Get, dynamodb: Any) -> None:
    with refused(dynamodb, "Query"):
        answer = get()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
