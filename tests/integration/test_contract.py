"""Check each call of the contract on the deployed API, against its OpenAPI document."""

import uuid
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from tests.integration.conftest import TOPIC_WITHOUT_PHOTOS, Calo, JobJson, eventually


@pytest.fixture(scope="module")
def document(calo: Calo) -> dict[str, Any]:
    response = calo.get("openapi.json")
    assert response.status_code == 200
    content: dict[str, Any] = response.json()
    validate(content)
    return content


def assert_conforms(document: dict[str, Any], name: str, value: Any) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    OAS31Validator(schema).validate(value)


def test_post_returns_201_with_the_job_and_its_location(calo: Calo, document: dict[str, Any]) -> None:
    response = calo.post({"query": "  crème brûlée  "})
    assert response.status_code == 201
    job = response.json()
    assert_conforms(document, "Job", job)
    assert list(job) == document["components"]["schemas"]["PhotoJob"]["required"]
    assert (job["query"], job["status"], job["version"]) == ("crème brûlée", "pending", 1)
    assert response.headers["location"] == f"/api/jobs/{job['id']}"
    assert calo.http.get(f"{calo.system.url}{response.headers['location']}").json()["id"] == job["id"]


@pytest.mark.parametrize("body", [None, "", "{}"])
def test_the_body_is_optional(calo: Calo, body: str | None) -> None:
    assert calo.post(body).json()["query"] == "food"


def test_the_same_key_returns_the_same_job_and_rejects_another_body(calo: Calo) -> None:
    key = str(uuid.uuid4())
    first, second = calo.post({"query": "tea"}, key=key), calo.post({"query": "tea"}, key=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] == second.json()["id"]
    other = calo.post({"query": "coffee"}, key=key)
    assert other.status_code == 422
    assert other.json()["errors"][0]["field"] == "Idempotency-Key"


def test_the_list_is_newest_first_by_page_and_by_cursor(calo: Calo, document: dict[str, Any]) -> None:
    created = [calo.create("pasta")["id"] for _ in range(5)]
    page = calo.get("jobs", pageSize=3).json()
    assert_conforms(document, "JobPage", page)
    assert [job["id"] for job in page["data"]] == created[:-4:-1]
    second = calo.get("jobs", pageSize=3, page=2).json()
    calo.create("pasta")  # another job at the start shifts pages, but not cursors
    after = calo.get("jobs", pageSize=3, cursor=page["next_cursor"]).json()
    assert [job["id"] for job in after["data"]] == [job["id"] for job in second["data"]]
    assert [job["id"] for job in after["data"]][:2] == created[1::-1]


def test_the_total_is_exact(calo: Calo) -> None:
    def total() -> int:
        number: int = calo.get("jobs", pageSize=1).json()["total"]
        return number

    def listed() -> int:
        count, cursor = 0, None
        while True:
            page = calo.get("jobs", pageSize=100, **({"cursor": cursor} if cursor else {})).json()
            count, cursor = count + len(page["data"]), page["next_cursor"]
            if not cursor:
                return count

    calo.create("pasta")
    eventually(lambda: total() == listed())


def test_the_list_can_be_filtered_by_status(calo: Calo, document: dict[str, Any]) -> None:
    with calo.live() as live:
        failed = live.wait_for_end(calo.create(TOPIC_WITHOUT_PHOTOS)["id"])
    page = calo.get("jobs", status="error").json()
    assert_conforms(document, "JobPage", page)
    assert page["data"][0] == failed
    assert {job["status"] for job in page["data"]} == {"error"}


def test_stats_contain_counts_and_budget(calo: Calo, document: dict[str, Any]) -> None:
    with calo.live() as live:
        live.wait_for_end(calo.create("pasta")["id"])
    stats = calo.get("stats").json()
    assert_conforms(document, "Stats", stats)
    assert 0 <= stats["budget"]["remaining"] < stats["budget"]["limit"]
    eventually(lambda: calo.get("stats").json()["counts"]["resolved"] >= 1)


def test_any_origin_may_read_and_create(calo: Calo) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    preflight = calo.http.options("jobs", headers={**origin, "Access-Control-Request-Method": "POST"})
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "idempotency-key" in preflight.headers["access-control-allow-headers"].lower()
    for response in (calo.http.get("jobs", headers=origin), calo.http.get("jobs/x", headers=origin)):
        assert response.headers["access-control-allow-origin"] == "*"


def messages_and_jobs(calo: Calo) -> tuple[int, list[JobJson]]:
    """Return the number of queued messages and the newest jobs."""
    page = calo.get("jobs", pageSize=100).json()
    return calo.count_messages(), page["data"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{", "body"),
        ("\u0000", "body"),
        ("[]", "body"),
        ('"pasta"', "body"),
        ('{"quary": "pasta"}', "quary"),
        ('{"query": 1}', "query"),
        ('{"query": null}', "query"),
        ('{"query": ["a"]}', "query"),
        ('{"query": ""}', "query"),
        ('{"query": "   "}', "query"),
        ('{"query": "%s"}' % ("x" * 81), "query"),
        (r'{"query": "a\u0007b"}', "query"),
        (r'{"query": "a\nb"}', "query"),
        (r'{"query": "\ud800"}', "query"),
        ('{"delay_seconds": "1"}', "delay_seconds"),
        ('{"delay_seconds": true}', "delay_seconds"),
        ('{"delay_seconds": 1.5}', "delay_seconds"),
        ('{"delay_seconds": -1}', "delay_seconds"),
        ('{"delay_seconds": 2592001}', "delay_seconds"),
    ],
)
def test_an_invalid_body_is_rejected_with_its_field_and_changes_nothing(
    calo: Calo, document: dict[str, Any], body: str, field: str
) -> None:
    eventually(lambda: calo.count_messages() == 0)
    before = messages_and_jobs(calo)
    response = calo.post(body)
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("application/problem+json")
    assert_conforms(document, "Problem", response.json())
    assert response.json()["errors"][0]["field"] == field
    assert messages_and_jobs(calo) == before


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"page": "0"}, "page"),
        ({"page": "-1"}, "page"),
        ({"page": "one"}, "page"),
        ({"page": "1000"}, "page"),
        ({"pageSize": "0"}, "pageSize"),
        ({"pageSize": "101"}, "pageSize"),
        ({"cursor": "broken"}, "cursor"),
        ({"cursor": "AAAA"}, "cursor"),
        ({"cursor": ""}, "cursor"),
        ({"status": "done"}, "status"),
        ({"sort": "asc"}, "query string"),
    ],
)
def test_an_invalid_list_request_is_rejected_with_its_field(
    calo: Calo, query: dict[str, str], field: str
) -> None:
    response = calo.get("jobs", **query)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == field


def test_the_error_for_a_deep_page_mentions_the_cursor(calo: Calo) -> None:
    assert "cursor" in calo.get("jobs", page=1000).json()["detail"]


def test_unknown_and_malformed_ids_are_rejected(
    calo: Calo, document: dict[str, Any], unknown_id: str
) -> None:
    unknown, malformed = calo.get(f"jobs/{unknown_id}"), calo.get("jobs/12")
    assert (unknown.status_code, malformed.status_code) == (404, 400)
    assert malformed.json()["errors"][0]["field"] == "id"
    for response in (unknown, malformed):
        assert_conforms(document, "Problem", response.json())
        assert response.headers["content-type"].startswith("application/problem+json")
