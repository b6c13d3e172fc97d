"""Retrying jobs that ended in error, against a fake API."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from calo.api import MAX_TRIES, PAGE_SIZE, Api
from calo.errors import CommandError
from calo.redrive import Redrive, count_codes


class FakeApi:
    """Lists `jobs`, two per page, and retries them in this order. `calls` are the limits of the retries.

    `statuses` are its next responses to retry calls; without one it responds with 200.
    """

    def __init__(self) -> None:
        self.jobs: list[dict[str, Any]] = []
        self.calls: list[int] = []
        self.retried: list[str] = []
        self.statuses: list[int] = []
        self.keys: set[str | None] = set()
        self.tokens: set[str | None] = set()
        self.owners: set[str | None] = set()
        self.list_status = 200

    def show(self, query: dict[str, list[str]]) -> tuple[int, Any]:
        assert (query["status"], query["pageSize"]) == (["error"], [str(PAGE_SIZE)])
        self.owners.add(query.get("owner", [""])[0])
        jobs = self._of(query.get("code", [None])[0])
        start = int(query.get("cursor", ["0"])[0])
        end = start + 2
        cursor = str(end) if end < len(jobs) else None
        return self.list_status, {"data": jobs[start:end], "next_cursor": cursor}

    def retry(self, query: dict[str, list[str]], body: dict[str, Any]) -> tuple[int, Any]:
        status = self.statuses.pop(0) if self.statuses else 200
        if status != 200:
            return status, {"detail": "why"}
        self.owners.add(query.get("owner", [""])[0])
        self.calls.append(body["limit"])
        jobs = [job for job in self._of(body.get("code")) if job["id"] not in self.retried]
        changed = jobs[: body["limit"]]
        self.retried += [job["id"] for job in changed]
        return 200, {"changed": len(changed), "more": len(changed) < len(jobs)}

    def _of(self, code: str | None) -> list[dict[str, Any]]:
        return [job for job in self.jobs if code in (None, job["error"]["code"])]


@pytest.fixture
def fake() -> FakeApi:
    return FakeApi()


@pytest.fixture
def url(fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "*")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(fake.show(parse_qs(urlsplit(self.path).query)))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            url = urlsplit(self.path)
            assert url.path == "/api/jobs/retry"
            self._send(fake.retry(parse_qs(url.query), body))

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
def new_redrive(url: str, pauses: list[float]) -> Callable[..., Redrive]:
    def new(code: str | None = None, rate: int = 20) -> Redrive:
        return Redrive(Api(url, "secret", pauses.append), code, None, rate, pauses.append)

    return new


def failed(code: str, *numbers: int) -> list[dict[str, Any]]:
    return [{"id": f"job-{number}", "error": {"code": code}} for number in numbers]


def test_jobs_with_a_code_are_found_on_all_pages(new_redrive: Callable[..., Redrive], fake: FakeApi) -> None:
    fake.jobs = failed("down", 1) + failed("no_photos", *range(2, 9)) + failed("down", 9, 10)
    assert [job["id"] for job in new_redrive("down").find(1000)] == ["job-1", "job-9", "job-10"]
    assert [job["id"] for job in new_redrive("down").find(2)] == ["job-1", "job-9"]
    assert len(new_redrive().find(1000)) == 10
    assert count_codes(fake.jobs) == {"down": 3, "no_photos": 7}
    assert fake.calls == []


def test_jobs_are_retried_at_the_rate_up_to_the_limit(
    new_redrive: Callable[..., Redrive], fake: FakeApi, pauses: list[float]
) -> None:
    fake.jobs = failed("no_photos", 0) + failed("down", *range(1, 6))
    assert new_redrive("down", rate=2).run(1000) == 5
    assert fake.retried == [f"job-{number}" for number in range(1, 6)]
    assert (fake.calls, pauses) == ([2, 2, 2], [1.0, 1.0])
    assert fake.keys == {"secret"}
    fake.jobs = failed("down", *range(10, 600))
    pauses.clear()
    assert new_redrive(rate=1000).run(250) == 250
    assert (fake.calls[3:], pauses) == ([100, 100, 50], [0.1, 0.1])


def test_a_throttled_call_is_repeated_after_the_time_the_server_asks_for(
    new_redrive: Callable[..., Redrive], fake: FakeApi, pauses: list[float]
) -> None:
    fake.jobs, fake.statuses = failed("down", 1), [429, 503, 503, 200]
    assert new_redrive().run(10) == 1
    assert pauses == [7.0, 2.0, 4.0]


@pytest.mark.parametrize("statuses", [[503] * MAX_TRIES, [409]])
def test_a_refused_call_ends_the_command_with_the_servers_reason(
    new_redrive: Callable[..., Redrive], fake: FakeApi, statuses: list[int]
) -> None:
    fake.statuses = [200, *statuses]
    fake.jobs = failed("down", 1, 2)
    with pytest.raises(CommandError, match=f"responded with {statuses[0]}: .*why"):
        new_redrive(rate=1).run(10)
    assert fake.retried == ["job-1"]


def test_an_api_that_cannot_be_listed_ends_the_command(
    new_redrive: Callable[..., Redrive], fake: FakeApi
) -> None:
    fake.list_status = 403
    with pytest.raises(CommandError, match="responded with 403"):
        new_redrive().find(10)


def test_an_api_that_cannot_be_reached_ends_the_command(pauses: list[float]) -> None:
    api = Api("http://127.0.0.1:9/api", None, pauses.append)
    with pytest.raises(CommandError, match="cannot be reached"):
        Redrive(api, None, None, 20, pauses.append).find(10)


def test_an_operator_retries_the_jobs_of_all_owners(fake: FakeApi, url: str) -> None:
    fake.jobs = failed("down", 1, 2, 3)
    redrive = Redrive(Api(url, token="a.b.c"), None, "*", 10, sleep=lambda _: None)
    assert (len(redrive.find(10)), redrive.run(10)) == (3, 3)
    assert (fake.tokens, fake.owners) == ({"Bearer a.b.c"}, {"*"})
