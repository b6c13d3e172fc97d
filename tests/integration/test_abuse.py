"""What the gateway refuses by itself: a system of its own, with a tight rate and an API key."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from local.processes import free_ports
from local.system import LocalSystem
from tests.integration.conftest import Calo

BURST = 3
NO_JOB = "00000000-0000-4000-8000-000000000000"
ORIGIN = {"Origin": "https://elsewhere.example"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calo]:
    folder = tmp_path_factory.mktemp("guarded") / "run"
    (port,) = free_ports(1)
    settings = {"api_key": "true", "post_rate": "1", "post_burst": str(BURST)}
    system = LocalSystem(folder, port, settings=settings, environment={"HOME": str(folder.parent)})
    with system, contextlib.closing(Calo(system)) as whole:
        yield whole


@pytest.fixture(scope="module")
def key(guarded: Calo) -> dict[str, str]:
    """The header of a caller that has the key."""
    found = guarded.client("apigateway").get_api_key(
        apiKey=guarded.system.outputs["ApiKeyId"], includeValue=True
    )
    return {**ORIGIN, "X-Api-Key": found["value"]}


def is_problem(answer: httpx.Response, status: int) -> bool:
    """In the contract's form, and readable by a page of another origin."""
    body = answer.json()
    assert answer.status_code == body["status"] == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Retry-After" in answer.headers["access-control-expose-headers"]
    assert list(body) == ["type", "title", "status", "detail", "errors"]
    assert body["errors"] == []
    return True


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "jobs"),
        ("GET", "jobs"),
        ("GET", f"jobs/{NO_JOB}"),
        ("DELETE", f"jobs/{NO_JOB}"),
        ("POST", f"jobs/{NO_JOB}/retry"),
        ("GET", "stats"),
        ("GET", "openapi.json"),
    ],
)
@pytest.mark.parametrize("wrong", [{}, {"X-Api-Key": "guessed"}])
def test_without_the_key_nothing_is_answered(
    guarded: Calo, method: str, path: str, wrong: dict[str, str]
) -> None:
    answer = guarded.http.request(method, path, headers={**ORIGIN, **wrong})
    assert is_problem(answer, 403)
    assert "X-Api-Key" in answer.json()["detail"]


def test_a_preflight_needs_no_key_and_allows_to_send_one(guarded: Calo) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    answer = guarded.http.options("jobs", headers={**ORIGIN, **asked})
    assert answer.status_code == 204
    assert "x-api-key" in answer.headers["access-control-allow-headers"].lower()


def test_what_does_not_exist_is_said_in_the_same_form(guarded: Calo, key: dict[str, str]) -> None:
    assert is_problem(guarded.http.get("nowhere", headers=key), 404)
    assert is_problem(guarded.http.put("jobs", headers=key), 404)


def test_who_creates_too_quickly_is_told_to_wait_while_reading_goes_on(
    guarded: Calo, key: dict[str, str]
) -> None:
    with ThreadPoolExecutor(10) as pool:
        posts = [
            pool.submit(guarded.http.post, "jobs", headers=key, json={"query": "tea"}) for _ in range(20)
        ]
    answers = [post.result() for post in posts]
    accepted = [answer for answer in answers if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code != 201]
    assert len(accepted) >= BURST
    assert refused
    for answer in refused:
        assert is_problem(answer, 429)
        assert int(answer.headers["retry-after"]) >= 1
    read = [guarded.http.get("jobs", headers=key).status_code for _ in range(20)]
    assert set(read) == {200}
