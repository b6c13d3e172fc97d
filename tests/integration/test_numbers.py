"""Several jobs with one call, changes by a filter, histories, and the minutes of the statistics."""

from typing import Any

from tests.integration.conftest import TOPIC_WITHOUT_PHOTOS, Calo, eventually


def changed(calo: Calo, what: str, **fields: Any) -> int:
    """Repeat a call while there may be more. Return how many jobs it has changed."""
    total, has_more = 0, True
    while has_more:
        response = calo.http.post(f"jobs/{what}", json=fields)
        assert response.status_code == 200, response.text
        total += response.json()["changed"]
        has_more = response.json()["more"]
    return total


def history(calo: Calo, job_id: str) -> list[tuple[str, int, str | None]]:
    entries = calo.get(f"jobs/{job_id}/history").json()["data"]
    return [(entry["status"], entry["attempt"], entry["code"]) for entry in entries]


def test_jobs_of_one_call_are_worked_on_and_have_histories_and_minutes(calo: Calo) -> None:
    before = calo.get("stats").json()
    created, resolved = (
        sum(minute[name] for minute in before["minutes"]) for name in ("created", "resolved")
    )
    entries: list[dict[str, Any]] = [{"query": "pasta", "key": f"bulk {number}"} for number in range(12)]
    entries += [{"kind": "countdown", "input": {"seconds": 1}}, {"query": 5}]
    with calo.live() as live:
        response = calo.http.post("jobs/bulk", json={"jobs": entries})
        assert response.status_code == 200, response.text
        *jobs, refused = response.json()["results"]
        assert (refused["status"], refused["errors"][0]["field"]) == (400, "query")
        repeated = calo.http.post("jobs/bulk", json={"jobs": entries[:12]}).json()["results"]
        assert [job["id"] for job in repeated] == [job["id"] for job in jobs[:12]]
        waiting = {job["id"] for job in jobs}

        def is_last(job: dict[str, Any]) -> bool:
            if job["status"] == "resolved":
                waiting.discard(job["id"])
            return not waiting

        live.wait_for(is_last)
    ended = [("pending", 0, None), ("pending", 1, "started"), ("resolved", 1, None)]
    eventually(lambda: all(history(calo, job["id"]) == ended for job in jobs))

    def is_counted() -> bool:
        minutes = calo.get("stats").json()["minutes"]
        has_ages = all((minute["age_p50_ms"] is not None) == (minute["resolved"] > 0) for minute in minutes)
        totals = [sum(minute[name] for minute in minutes) for name in ("created", "resolved")]
        return has_ages and totals[0] >= created + len(jobs) and totals[1] >= resolved + len(jobs)

    eventually(is_counted)
    since = jobs[0]["created_at"]
    page = calo.get("jobs", since=since, until=since + 1, pageSize=100).json()
    assert page["total"] is None
    assert {job["created_at"] for job in page["data"]} == {since}


def test_jobs_are_cancelled_and_retried_by_a_filter(calo: Calo) -> None:
    changed(calo, "cancel", kind="countdown")
    entry = {"kind": "countdown", "input": {"seconds": 1}, "delay_seconds": 900}
    jobs = calo.http.post("jobs/bulk", json={"jobs": [entry] * 25}).json()["results"]
    eventually(lambda: len(calo.get("jobs", kind="countdown", status="pending").json()["data"]) >= 20)
    assert changed(calo, "cancel", kind="countdown", limit=10) == 25
    assert {calo.get(f"jobs/{job['id']}").json()["status"] for job in jobs} == {"cancelled"}
    with calo.live() as live:
        failed = live.wait_for_end(calo.create(TOPIC_WITHOUT_PHOTOS)["id"])
        code = failed["error"]["code"]
        eventually(lambda: failed["id"] in [j["id"] for j in calo.get("jobs", code=code).json()["data"]])
        assert changed(calo, "retry", kind="photo", code=code) >= 1
        again = live.wait_for_end(failed["id"])
    assert again["version"] == failed["version"] + 2
    assert changed(calo, "retry", kind="photo", code=code) == 0, "it has failed again"
    steps = [("pending", 0, None), ("pending", 1, "started"), ("error", 1, code)]
    eventually(lambda: history(calo, failed["id"]) == [*steps, ("pending", 0, "retried"), *steps[1:]])
