"""Kinds of jobs on the deployed system: the included ones, and those in tests/integration/kinds."""

import base64
import io
import json
from typing import Any

import httpx
import pytest
from PIL import Image

from local.deployment import ROOT
from tests.integration.conftest import Calo, JobJson, eventually


def run(calo: Calo, kind: str, **job_input: Any) -> JobJson:
    """Run a job and return it at its end."""
    with calo.live() as live:
        return live.wait_for_end(calo.create_kind(kind, **job_input)["id"])


def test_a_countdown_shows_its_progress_live_and_through_rest(calo: Calo) -> None:
    with calo.live() as live:
        live.catch_up(calo)  # a stream that begins with a backlog may skip progress
        created = calo.create_kind("countdown", seconds=4)
        shown = live.wait_for(lambda job: job["id"] == created["id"] and job["progress"])
        assert calo.get(f"jobs/{created['id']}").json()["progress"] is not None
        ended = live.wait_for_end(created["id"])
    steps = [job for job in live.received if job["id"] == created["id"] and job["progress"]]
    fractions = [job["progress"]["fraction"] for job in steps]
    assert len(fractions) >= 3
    assert fractions == sorted(fractions)
    assert shown["progress"]["message"].endswith("s left")
    assert (ended["output"], ended["progress"]) == ({"seconds": 4}, None)
    versions = [job["version"] for job in live.received if job["id"] == created["id"]]
    assert versions == sorted(set(versions))


def test_a_running_job_that_is_cancelled_stops(calo: Calo) -> None:
    with calo.live() as live:
        created = calo.create_kind("countdown", seconds=300)
        live.wait_for(lambda job: job["id"] == created["id"] and job["progress"])
        cancelled = calo.http.delete(f"jobs/{created['id']}").json()
        assert cancelled["status"] == "cancelled"
        eventually(lambda: calo.count_messages("JobsQueueUrlCountdown") == 0, seconds=5)
        live.catch_up(calo)
    assert calo.get(f"jobs/{created['id']}").json() == cancelled


@pytest.mark.parametrize(
    ("way", "status", "code", "attempts"),
    [
        ("permanent", "error", "no_luck", 1),
        ("transient", "error", "unlucky", 2),
        ("exception", "error", "failed", 2),
        ("hangs", "error", "timeout", 2),
        ("bad_output", "error", "bad_output", 1),
        ("too_large", "error", "bad_output", 1),
    ],
)
def test_every_failure_has_its_code(calo: Calo, way: str, status: str, code: str, attempts: int) -> None:
    ended = run(calo, "flaky", way=way)
    assert (ended["status"], ended["error"]["code"], ended["error"]["attempts"]) == (status, code, attempts)
    assert "secret" not in json.dumps(ended)


@pytest.mark.parametrize("way", ["transient", "exception", "hangs"])
def test_a_failure_that_passes_is_no_failure(calo: Calo, way: str) -> None:
    ended = run(calo, "flaky", way=way, until_attempt=2)
    assert (ended["status"], ended["output"]["attempt"]) == ("resolved", 2)


def test_waiting_uses_no_attempt_and_two_kinds_never_overspend_their_budget(calo: Calo) -> None:
    """Five units per ten seconds, and eight jobs. The budget adds a margin of ten seconds to its window."""
    with calo.live() as live:
        ids = {calo.create_kind(kind)["id"] for kind in ("narrow", "narrow_too") * 4}
        ended: dict[str, JobJson] = {}
        while len(ended) < len(ids):
            job = live.wait_for(lambda job: job["id"] in ids and job["status"] != "pending", seconds=120)
            ended[job["id"]] = job
    assert {job["status"] for job in ended.values()} == {"resolved"}
    deferred = {job["id"] for job in live.received if job["deferred_until"]} & ids
    assert len(deferred) >= 3
    spent = sorted((job["output"] for job in ended.values()), key=lambda output: output["before"])
    pairs = zip(spent, spent[5:], strict=False)
    assert all(later["before"] - earlier["after"] >= 10_000 for earlier, later in pairs)
    items = [calo.item(job_id) for job_id in deferred]
    assert {item["attempts"]["N"] for item in items} == {"0"}
    assert calo.get("stats").json()["budgets"]["narrow"]["limit"] == 5


def test_a_kind_with_a_native_package_of_its_own(calo: Calo) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 32), (200, 30, 30)).save(file, "PNG")
    ended = run(calo, "thumbnail", picture=base64.b64encode(file.getvalue()).decode())
    assert (ended["output"]["width"], ended["output"]["height"]) == (16, 8)
    answer = httpx.get(ended["output"]["url"], timeout=60)
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (16, 8)
    assert "/images/thumbnail/" in ended["output"]["url"]
    assert run(calo, "thumbnail", picture="AAAA")["error"]["code"] == "no_picture"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "countdown", "input": {"seconds": 601}}, "input.seconds"),
        ({"kind": "countdown", "input": {"seconds": "5"}}, "input.seconds"),
        ({"kind": "countdown", "input": {"minutes": 5}}, "input.minutes"),
        ({"kind": "thumbnail", "input": {}}, "input.picture"),
        ({"kind": "nothing"}, "kind"),
        ({"kind": "flaky", "input": {"way": "x" * 33_000}}, "input.way"),
    ],
)
def test_invalid_input_names_the_field_and_writes_nothing(
    calo: Calo, body: dict[str, Any], field: str
) -> None:
    before = calo.get("jobs").json()["total"]
    answer = calo.post(body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert calo.get("jobs").json()["total"] == before


def test_an_input_of_32_kilobytes_of_any_text_is_accepted(calo: Calo) -> None:
    """A text that looks like markup, and every character escaped."""
    picture = ("<script>alert('&')</script>" * 1000)[:20_000]
    body = json.dumps({"kind": "thumbnail", "input": {"picture": picture}})
    escaped = body.replace("<", "\\u003c").replace("&", "\\u0026")
    with calo.live() as live:
        answer = calo.post(escaped)
        assert answer.status_code == 201, answer.text
        ended = live.wait_for_end(answer.json()["id"])
    assert (ended["input"]["picture"], ended["error"]["code"]) == (picture, "no_picture")


def test_the_kinds_are_described(calo: Calo) -> None:
    kinds = {kind["name"]: kind for kind in calo.get("kinds").json()["data"]}
    assert {"photo", "countdown", "flaky", "narrow", "narrow_too", "thumbnail"} <= set(kinds)
    assert kinds["countdown"]["title"] == "Count down"
    assert "600" in json.dumps(kinds["countdown"]["input"])


def test_jobs_are_listed_and_counted_by_kind(calo: Calo) -> None:
    ended = run(calo, "flaky", way="permanent")
    listed = calo.get("jobs", kind="flaky", pageSize=1).json()
    assert [job["id"] for job in listed["data"]] == [ended["id"]]
    assert calo.get("jobs", kind="flaky", status="error", pageSize=1).json()["data"] == [ended]
    assert calo.get("jobs", kind="countdown", pageSize=100).json()["data"] != []

    def counted() -> bool:
        stats = calo.get("stats").json()
        total = calo.get("jobs", kind="flaky").json()["total"]
        return bool(sum(stats["counts_by_kind"]["flaky"].values()) == total and stats["codes"]["no_luck"])

    eventually(counted)


@pytest.fixture
def retired_job(calo: Calo) -> JobJson:
    """Return a pending job of a kind that does not exist any more, which is overdue."""
    created = calo.create("pasta", delay_seconds=900)
    item = json.loads(json.dumps(calo.item(created["id"])).replace('"photo"', '"retired"'))
    item["kind_shard"]["S"] = item["kind_shard"]["S"].replace("#photo#", "#retired#")
    item |= {"wake_at": {"N": "1"}, "due_at": {"N": "1"}, "version": {"N": "2"}}
    calo.client("dynamodb").put_item(TableName=calo.system.outputs["JobsTable"], Item=item)
    return created


def test_a_job_of_a_kind_that_does_not_exist_any_more_is_shown_and_ends(
    calo: Calo, retired_job: JobJson
) -> None:
    job_id = retired_job["id"]
    shown = calo.get("jobs", kind="retired").json()["data"]
    assert [(job["id"], job["status"], job["input"]) for job in shown] == [
        (job_id, "pending", {"query": "pasta"})
    ]
    with calo.live(job=job_id) as live:
        calo.run_watchdog()
        ended = live.wait_for_end(job_id)
    assert (ended["kind"], ended["error"]["code"]) == ("retired", "retired")
    assert calo.http.post(f"jobs/{job_id}/retry").status_code == 409


def test_a_kind_is_one_file(calo: Calo) -> None:
    assert not (ROOT / "kinds" / "wordcount.py").exists()
    assert run(calo, "wordcount", text="one two  three")["output"] == {"words": 3}
    assert "wordcount" in {kind["name"] for kind in calo.get("kinds").json()["data"]}
