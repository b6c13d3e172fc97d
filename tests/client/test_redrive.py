"""Retrying jobs that ended in error."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from calo import Calo, InvalidRequest, Unreachable
from calo.redrive import Redrive, count_codes
from tests.client.fake_api import Script, answer, job

URL = "https://calo.test"


@pytest.fixture
def pauses() -> list[float]:
    return []


@contextmanager
def redrive(script: Script, pauses: list[float], *, rate: int = 20, **options: Any) -> Iterator[Redrive]:
    selection = {"code": None, "owner": None, **options}
    with Calo(URL, transport=script, token="a.b.c") as client:
        yield Redrive(client, rate=rate, sleep=pauses.append, **selection)


def failed(code: str, *numbers: int) -> list[dict[str, Any]]:
    error = {"code": code, "message": "", "attempts": 1}
    return [job(status="error", job_id=f"job-{number}", error=error) for number in numbers]


def page(jobs: list[dict[str, Any]], cursor: str | None = None) -> httpx.Response:
    return answer({"data": jobs, "next_cursor": cursor})


def changed(number: int, *, more: bool) -> httpx.Response:
    return answer({"changed": number, "more": more})


def test_jobs_are_found_on_all_pages_up_to_the_limit(pauses: list[float]) -> None:
    pages = [page(failed("down", 1, 2), "next"), page(failed("no_photos", 3))]
    script = Script(GET_jobs=[*pages, *pages])
    with redrive(script, pauses, code="down") as run:
        jobs = run.find(1000)
        assert [each.id for each in jobs] == ["job-1", "job-2", "job-3"]
        assert len(run.find(1)) == 1
    assert count_codes(jobs) == {"down": 2, "no_photos": 1}
    queries = [dict(request.url.params) for request in script.requests]
    assert queries[:2] == [
        {"status": "error", "code": "down", "pageSize": "100"},
        {"status": "error", "code": "down", "pageSize": "100", "cursor": "next"},
    ]
    assert {request.method for request in script.requests} == {"GET"}


@pytest.mark.parametrize(
    ("rate", "limit", "answers", "limits", "waits"),
    [
        (2, 1000, [(2, True), (2, True), (1, False)], [2, 2, 2], [1.0, 1.0]),
        (1000, 250, [(100, True), (100, True), (50, True)], [100, 100, 50], [0.1, 0.1]),
        (10, 30, [(0, True), (10, False)], [10, 10], [0.1]),
    ],
)
def test_jobs_are_retried_at_the_rate_up_to_the_limit(
    pauses: list[float],
    rate: int,
    limit: int,
    answers: list[tuple[int, bool]],
    limits: list[int],
    waits: list[float],
) -> None:
    script = Script(POST_jobs_retry=[changed(number, more=more) for number, more in answers])
    with redrive(script, pauses, rate=rate, code="down") as run:
        assert run.run(limit) == sum(number for number, _ in answers)
    bodies = [json.loads(request.content) for request in script.requests]
    assert bodies == [{"limit": each, "code": "down"} for each in limits]
    assert pauses == waits


def test_a_throttled_call_is_repeated_after_the_time_the_server_asks_for(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    script = Script(
        POST_jobs_retry=[answer({}, 429, Retry_After="7"), answer({}, 503), changed(1, more=False)]
    )
    with redrive(script, pauses) as run:
        assert run.run(10) == 1
    assert pauses[0] == 7
    assert 0.3 <= pauses[1] <= 0.9


def test_a_refused_call_ends_the_command_with_the_servers_reason(pauses: list[float]) -> None:
    script = Script(POST_jobs_retry=[changed(1, more=True), answer({"detail": "why"}, 409)])
    with redrive(script, pauses, rate=1) as run, pytest.raises(InvalidRequest, match="why"):
        run.run(10)


def test_an_api_that_cannot_be_reached_ends_the_command(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calo.connection.FIRST_PAUSE", 0.001)
    script = Script(GET_jobs=[httpx.ConnectError("refused")])
    with redrive(script, pauses) as run, pytest.raises(Unreachable, match="cannot be reached: refused"):
        run.find(10)


def test_an_operator_retries_the_jobs_of_all_owners(pauses: list[float]) -> None:
    script = Script(GET_jobs=[page(failed("down", 1))], POST_jobs_retry=[changed(1, more=False)])
    with redrive(script, pauses, owner="*") as run:
        assert (len(run.find(10)), run.run(10)) == (1, 1)
    assert {request.url.params["owner"] for request in script.requests} == {"*"}
    assert {request.headers["Authorization"] for request in script.requests} == {"Bearer a.b.c"}
