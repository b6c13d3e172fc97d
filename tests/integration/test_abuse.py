"""Requests that API Gateway rejects, on a separate system with a low rate limit and an API key."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from local.processes import free_ports
from local.system import LocalSystem
from tests.integration.conftest import Calo

BURST = 3
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
ORIGIN = {"Origin": "https://elsewhere.example"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calo]:
    folder = tmp_path_factory.mktemp("guarded") / "run"
    (port,) = free_ports(1)
    settings = {"api_key": "true", "post_rate": "1", "post_burst": str(BURST)}
    system = LocalSystem(folder, port, settings=settings, environment={"HOME": str(folder.parent)})
    with system, contextlib.closing(Calo(system)) as calo:
        yield calo


@pytest.fixture(scope="module")
def key(guarded: Calo) -> dict[str, str]:
    """Return the headers of a client with the API key."""
    response = guarded.client("apigateway").get_api_key(
        apiKey=guarded.system.outputs["ApiKeyId"], includeValue=True
    )
    return {**ORIGIN, "X-Api-Key": response["value"]}


def assert_problem(response: httpx.Response, status: int) -> None:
    """Check that the error has the form of the contract and that pages of other origins can read it."""
    body = response.json()
    assert response.status_code == body["status"] == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["access-control-allow-origin"] == "*"
    assert "Retry-After" in response.headers["access-control-expose-headers"]
    assert list(body) == ["type", "title", "status", "detail", "errors"]
    assert body["errors"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "jobs"),
        ("GET", "jobs"),
        ("GET", f"jobs/{UNKNOWN_ID}"),
        ("DELETE", f"jobs/{UNKNOWN_ID}"),
        ("POST", f"jobs/{UNKNOWN_ID}/retry"),
        ("GET", "stats"),
        ("GET", "openapi.json"),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "guessed"}])
def test_requests_without_the_key_are_rejected(
    guarded: Calo, method: str, path: str, headers: dict[str, str]
) -> None:
    response = guarded.http.request(method, path, headers={**ORIGIN, **headers})
    assert_problem(response, 403)
    assert "X-Api-Key" in response.json()["detail"]


def test_a_preflight_without_the_key_allows_the_header(guarded: Calo) -> None:
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    response = guarded.http.options("jobs", headers={**ORIGIN, **preflight})
    assert response.status_code == 204
    assert "x-api-key" in response.headers["access-control-allow-headers"].lower()


def test_unknown_routes_are_rejected_in_the_same_form(guarded: Calo, key: dict[str, str]) -> None:
    assert_problem(guarded.http.get("nowhere", headers=key), 404)
    assert_problem(guarded.http.put("jobs", headers=key), 404)


def test_creating_too_fast_is_throttled_while_reading_is_not(guarded: Calo, key: dict[str, str]) -> None:
    with ThreadPoolExecutor(10) as pool:
        posts = [
            pool.submit(guarded.http.post, "jobs", headers=key, json={"query": "tea"}) for _ in range(20)
        ]
    responses = [post.result() for post in posts]
    accepted = [response for response in responses if response.status_code == 201]
    throttled = [response for response in responses if response.status_code != 201]
    assert len(accepted) >= BURST
    assert throttled
    for response in throttled:
        assert_problem(response, 429)
        assert int(response.headers["retry-after"]) >= 1
    read = [guarded.http.get("jobs", headers=key).status_code for _ in range(20)]
    assert set(read) == {200}
