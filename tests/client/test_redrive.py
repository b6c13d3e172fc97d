"""Retrying jobs that ended in error, against a fake API."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from calo.api import MAX_TRIES, PAGE_SIZE, Api
from calo.errors import CommandError
from calo.redrive import Redrive, count_codes


class FakeApi:
    """Lists `jobs`, two per page, and records the ids of retry calls in `retries`.

    `statuses` are its next responses to retry calls; without one it responds with 200.
    """

    def __init__(self) -> None:
        self.jobs: list[dict[str, Any]] = []
        self.retries: list[str] = []
        self.statuses: list[int] = []
        self.keys: set[str | None] = set()
        self.tokens: set[str | None] = set()
        self.owners: set[str | None] = set()
        self.list_status = 200

    def list(self, query: dict[str, list[str]]) -> tuple[int, Any]:
        assert (query["status"], query["pageSize"]) == (["error"], [str(PAGE_SIZE)])
        self.owners.add(query.get("owner", [""])[0])
        start = int(query.get("cursor", ["0"])[0])
        end = start + 2
        cursor = str(end) if end < len(self.jobs) else None
        return self.list_status, {"data": self.jobs[start:end], "next_cursor": cursor}

    def retry(self, job_id: str) -> tuple[int, Any]:
        self.retries.append(job_id)
        return self.statuses.pop(0) if self.statuses else 200, {}


@pytest.fixture
def fake() -> FakeApi:
    return FakeApi()


@pytest.fixture
def url(fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "*")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(fake.list(parse_qs(urlsplit(self.path).query)))

        def do_POST(self) -> None:
            self._send(fake.retry(self.path.split("/")[-2]))

        def _send(self, response: tuple[int, Any]) -> None:
            status, value = response
            fake.keys.add(self.headers.get("X-Api-Key"))
            fake.tokens.add(self.headers.get("Authorization"))
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 429:
                self.send_header("Retry-After", "7")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Do not log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/api"
    server.shutdown()
    server.server_close()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def redrive(url: str, pauses: list[float]) -> Redrive:
    return Redrive(Api(url, "secret", pauses.append), 20, pauses.append)


def failed(code: str, *numbers: int) -> list[dict[str, Any]]:
    return [{"id": f"job-{number}", "error": {"code": code}} for number in numbers]


def test_jobs_with_a_code_are_found_on_all_pages(redrive: Redrive, fake: FakeApi) -> None:
    fake.jobs = failed("down", 1) + failed("no_photos", *range(2, 9)) + failed("down", 9, 10)
    assert [job["id"] for job in redrive.find("down", 1000)] == ["job-1", "job-9", "job-10"]
    assert [job["id"] for job in redrive.find("down", 2)] == ["job-1", "job-9"]
    assert len(redrive.find(None, 1000)) == 10
    assert count_codes(fake.jobs) == {"down": 3, "no_photos": 7}
    assert fake.retries == []


def test_jobs_are_retried_at_the_rate_and_outcomes_are_counted(
    redrive: Redrive, fake: FakeApi, pauses: list[float]
) -> None:
    fake.statuses = [200, 409, 404, 200]
    outcomes = redrive.run(failed("down", 1, 2, 3, 4))
    assert fake.retries == ["job-1", "job-2", "job-3", "job-4"]
    assert outcomes == {"retried": 2, "not_failed": 2}
    assert pauses == [0.05] * 3
    assert fake.keys == {"secret"}


def test_a_throttled_call_is_repeated_after_the_time_the_server_asks_for(
    redrive: Redrive, fake: FakeApi, pauses: list[float]
) -> None:
    fake.statuses = [429, 503, 503, 200]
    assert redrive.run(failed("down", 1)) == {"retried": 1}
    assert pauses == [7.0, 2.0, 4.0]


def test_a_call_that_stays_unavailable_is_counted(redrive: Redrive, fake: FakeApi) -> None:
    fake.statuses = [503] * MAX_TRIES
    assert redrive.run(failed("down", 1)) == {"unavailable": 1}


def test_an_api_that_cannot_be_listed_ends_the_command(redrive: Redrive, fake: FakeApi) -> None:
    fake.list_status = 403
    with pytest.raises(CommandError, match="responded with 403"):
        redrive.find(None, 10)


def test_an_api_that_cannot_be_reached_ends_the_command(pauses: list[float]) -> None:
    with pytest.raises(CommandError, match="cannot be reached"):
        Redrive(Api("http://127.0.0.1:9/api", None, pauses.append), 20, pauses.append).find(None, 10)


def test_an_operator_retries_the_jobs_of_all_owners(fake: FakeApi, url: str) -> None:
    fake.jobs = failed("down", 1, 2, 3)
    redrive = Redrive(Api(url, token="a.b.c"), 1, sleep=lambda _: None)
    redrive.run(redrive.find(None, 10, owner="*"))
    assert (len(fake.retries), fake.tokens, fake.owners) == (3, {"Bearer a.b.c"}, {"*"})
