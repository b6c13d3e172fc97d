"""The client: calls that are repeated, and jobs that are followed through disconnects."""

import asyncio
import time
from typing import Any

import httpx
import pytest

import calo.connection
import calo.follow
from calo import Calo, CaloError, Change, InvalidRequest, JobNotFound, NotSignedIn, Unreachable
from calo.connection import find_url
from tests.client.fake_api import JOB_ID, Script, answer, event, job, stream

URL = "https://calo.test"
CUT = httpx.ReadError("cut")
REFUSED = httpx.ConnectError("refused")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calo.connection, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(calo.follow, "FIRST_POLL", 5.0)


def follow(script: Script, **options: Any) -> list[Change]:
    """Create a job and return all changes that are yielded."""

    async def main() -> list[Change]:
        async with Calo(URL, transport=script, **options) as client:
            created = await client.run("countdown", seconds=1)
            return [change async for change in created]

    return asyncio.run(main())


def versions(changes: list[Change]) -> list[int]:
    return [change.version for change in changes]


def test_a_job_is_followed_until_it_has_ended() -> None:
    events = [
        event(job(2, progress={"fraction": 0.5, "message": "half"})),
        event(job(3, "resolved", output={"a": 1})),
    ]
    script = Script(POST_jobs=[answer(job(), 201)], GET_live=[stream(*events)])
    changes = follow(script)
    assert versions(changes) == [1, 2, 3]
    assert changes[1].progress == {"fraction": 0.5, "message": "half"}
    assert (changes[2].status, changes[2].output, changes[2].has_ended) == ("resolved", {"a": 1}, True)
    assert script.requests[1].url.params["job"] == JOB_ID


def test_other_fields_of_a_job_are_attributes() -> None:
    change = Change.read(job(result="https://images.test/1"))
    assert change.result == "https://images.test/1"
    with pytest.raises(AttributeError, match="a job of kind countdown has no field photo"):
        _ = change.photo


def test_a_stream_that_is_cut_is_opened_again_and_no_version_is_repeated_or_older() -> None:
    old = stream(event(job(1)), event(job(3)), event(job(2)), CUT)
    script = Script(
        POST_jobs=[answer(job(), 201)],
        GET_live=[
            REFUSED, answer({}, 503), answer({}, 429), stream(), old,
            stream("id: 1\nda"), stream(event("damaged")), stream(event(job(3)), event(job(4, "resolved"))),
        ],
        GET_jobs_id=[answer(job(3))],
    )  # fmt: skip
    assert versions(follow(script)) == [1, 3, 4]


def test_behind_a_proxy_that_holds_the_stream_back_the_job_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calo.follow, "FIRST_POLL", 0.01)

    class Held(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            await asyncio.sleep(60)
            yield b""

    held = httpx.Response(200, headers={"Content-Type": "text/event-stream"}, stream=Held())
    reads = [answer(job(2)), answer({}, 503), answer(job(5, "error"))]
    script = Script(POST_jobs=[answer(job(), 201)], GET_live=[held], GET_jobs_id=reads)
    assert versions(follow(script)) == [1, 2, 5]


def test_waiting_ends_after_the_timeout_even_if_the_api_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calo.follow, "FIRST_POLL", 0.01)
    monkeypatch.setattr(calo.connection, "FIRST_PAUSE", 30)
    script = Script(POST_jobs=[answer(job(), 201)], GET_live=[REFUSED], GET_jobs_id=[REFUSED])
    start = time.monotonic()
    with pytest.raises(TimeoutError, match=r"has not ended after 0\.2 s"):
        follow(script, timeout=0.2)
    assert time.monotonic() - start < 5


def test_a_job_that_has_ended_already_opens_no_stream() -> None:
    script = Script(POST_jobs=[answer(job(7, "cancelled"), 201)])
    assert versions(follow(script)) == [7]


def test_a_request_is_repeated_under_its_own_key() -> None:
    script = Script(
        POST_jobs=[REFUSED, CUT, answer({}, 503, Retry_After="0"), answer(job(2, "resolved"), 201)]
    )
    assert versions(follow(script)) == [2]
    assert len(script.requests) == 4
    assert len(set(script.keys())) == 1
    assert script.keys()[0]


def test_two_jobs_have_different_keys() -> None:
    script = Script(POST_jobs=[answer(job(2, "resolved"), 201)])
    follow(script)
    follow(script)
    assert len(set(script.keys())) == 2


@pytest.mark.parametrize(
    ("response", "error", "message"),
    [
        (answer({"detail": "x", "errors": [{"field": "input.seconds", "message": "is required"}]}, 400),
         InvalidRequest, "input.seconds: is required"),
        (answer({"detail": "sign in"}, 401), NotSignedIn, "sign in"),
        (answer({"detail": "there is no job"}, 404), JobNotFound, "there is no job"),
        (httpx.Response(400, text="<html>"), InvalidRequest, "status 400"),
        (httpx.Response(200, text="<html>"), Unreachable, "is not the URL of a Calo API"),
        (answer({}, 500), Unreachable, "cannot be reached: status 500"),
        (REFUSED, Unreachable, "cannot be reached: refused"),
    ],
)  # fmt: skip
def test_errors_say_what_is_wrong(response: Any, error: type[CaloError], message: str) -> None:
    with pytest.raises(error, match=message):
        follow(Script(POST_jobs=[response]))


def test_a_stream_that_is_refused_ends_the_iteration() -> None:
    script = Script(
        POST_jobs=[answer(job(), 201)], GET_live=[answer({"detail": "the token has expired"}, 401)]
    )
    with pytest.raises(NotSignedIn, match="the token has expired"):
        follow(script)


def test_the_same_works_without_async() -> None:
    live = stream(event(job(2)), event(job(3, "resolved", output={"a": 1})))
    script = Script(POST_jobs=[answer(job(), 201)], GET_live=[live])
    with Calo(URL, transport=script) as client:
        created = client.run("countdown", seconds=1)
        assert versions(list(created)) == [1, 2, 3]
        assert created.wait().output == {"a": 1}


def test_an_input_field_may_have_any_name() -> None:
    script = Script(POST_jobs=[answer(job(2, "resolved"), 201)])
    with Calo(URL, transport=script) as client:
        client.run("any", kind="a", key="b", timeout=3)
    assert b'"input":{"kind":"a","key":"b","timeout":3}' in script.requests[0].content


def test_all_changes_are_followed_and_a_resync_fetches_the_list() -> None:
    other = "00000000-0000-4000-8000-000000000001"
    page = {"data": [job(2, job_id=other), job(5)], "next_cursor": None, "live_cursor": 17}
    live = stream(event(job(4), event_id="9.r.9"), event(job(4)), event({}, "resync"))
    script = Script(GET_jobs=[answer(page)], GET_live=[live, stream(event(job(6)))])

    async def main() -> list[tuple[str, int]]:
        seen = []
        async with Calo(URL, transport=script) as client:
            async for change in client.changes():
                seen.append((change.id, change.version))
                if len(seen) == 4:
                    break
        return seen

    assert asyncio.run(main()) == [(JOB_ID, 4), (JOB_ID, 5), (other, 2), (JOB_ID, 6)]
    cursors = [r.headers["Last-Event-ID"] for r in script.requests if r.url.path == "/api/live"]
    assert cursors[:2] == ["17", "1.r.1"]


def test_the_token_is_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALO_TOKEN", "secret-token")
    script = Script(POST_jobs=[answer(job(), 201)], GET_live=[stream(event(job(2, "resolved")))])
    follow(script)
    assert {request.headers["Authorization"] for request in script.requests} == {"Bearer secret-token"}
    with pytest.raises(Unreachable) as error:
        follow(Script(POST_jobs=[REFUSED]))
    assert "secret-token" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://calo.test", "https://calo.test/api"),
        ("https://calo.test/", "https://calo.test/api"),
        ("https://calo.test/api/", "https://calo.test/api"),
        ("http://localhost:8080/api", "http://localhost:8080/api"),
        (
            "https://x.execute-api.eu-west-1.amazonaws.com/api",
            "https://x.execute-api.eu-west-1.amazonaws.com/api",
        ),
        ("https://calo.test/calo?x=1#y", "https://calo.test/calo/api"),
    ],
)
def test_the_url_may_have_the_stage_or_not(given: str, url: str) -> None:
    assert find_url(given) == url


@pytest.mark.parametrize(
    "given", ["calo.test", "localhost:8080", "ftp://calo.test", "http://", "https:///api"]
)
def test_a_text_that_is_not_a_url_is_refused(given: str) -> None:
    with pytest.raises(CaloError, match=r"must look like https://calo\.example\.com"):
        find_url(given)


def test_the_url_comes_from_the_environment_or_the_local_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CALO_URL", raising=False)
    assert find_url() == "http://localhost:8080/api"
    monkeypatch.setenv("CALO_URL", "https://calo.test")
    assert find_url() == "https://calo.test/api"
