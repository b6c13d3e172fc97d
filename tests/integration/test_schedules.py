"""Schedules and long delays in the deployed system, with IAM enforced."""

import time
from typing import Any

from functions.common.schedule import item_id
from tests.integration.conftest import Calo, eventually

HOUR_MS = 3_600_000


def make_due(calo: Calo, schedule_id: str) -> int:
    """Let a schedule be due now. Return the time (epoch ms)."""
    now = round(time.time() * 1000)
    calo.client("dynamodb").update_item(
        TableName=calo.system.outputs["JobsTable"],
        Key={"id": {"S": item_id(schedule_id)}},
        UpdateExpression="SET wake_at = :now",
        ExpressionAttributeValues={":now": {"N": str(now)}},
    )
    return now


def test_a_schedule_creates_jobs_until_it_is_deleted(calo: Calo) -> None:
    body = {"kind": "countdown", "input": {"seconds": 1}, "cron": "0 9 * * *", "timezone": "Europe/Berlin"}
    created = calo.http.post("schedules", json=body)
    assert created.status_code == 201, created.text
    path = created.headers["Location"].removeprefix("/api/")
    schedule = created.json()
    assert calo.get(path).json() == schedule
    assert len(schedule["next"]) == 10
    time_of_run = make_due(calo, schedule["id"])
    for _ in range(2):
        calo.run_watchdog()
    after = calo.get(path).json()
    assert after["last_run"]["at"] == time_of_run
    assert after["next"] == schedule["next"]
    job_path = f"jobs/{after['last_run']['job']}"
    eventually(lambda: calo.get(job_path).json()["status"] == "resolved")
    assert [each["id"] for each in calo.get("schedules").json()["data"]] == [schedule["id"]]
    paused = calo.http.patch(path, json={"paused": True})
    assert (paused.status_code, paused.json()["next"]) == (200, [])
    assert calo.http.patch(path, json={"cron": "x"}).status_code == 400
    preflight = calo.http.options(path)
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    deleted = calo.http.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert calo.get(path).status_code == 404
    assert calo.get(job_path).json()["status"] == "resolved"


def test_changes_of_schedules_are_not_damage(calo: Calo) -> None:
    """The counter and the relays get them by the table's stream, and leave them out."""
    before = calo.get("stats").json()["counts"]
    created = calo.http.post("schedules", json={"cron": "0 9 * * *", "paused": True}).json()
    calo.http.delete(f"schedules/{created['id']}")
    job = calo.create("pasta")
    with calo.live(job=job["id"]) as live:
        live.wait_for_end(job["id"])
    eventually(lambda: calo.get("stats").json()["counts"]["resolved"] == before["resolved"] + 1)
    health = calo.http.get("live", params={"job": "x"})
    assert health.status_code == 400


def test_a_job_with_a_long_delay_has_no_message_until_it_is_nearly_due(calo: Calo) -> None:
    job = calo.create("salad", delay_seconds=30 * 24 * 3600)
    item: Any = calo.item(job["id"])
    assert (item["parked"], "expires_at" in item) == ({"BOOL": True}, False)
    now = round(time.time() * 1000)
    calo.client("dynamodb").update_item(
        TableName=calo.system.outputs["JobsTable"],
        Key={"id": {"S": job["id"]}},
        UpdateExpression="SET due_at = :soon, wake_at = :soon",
        ExpressionAttributeValues={":soon": {"N": str(now + 2_000)}},
    )
    calo.run_watchdog()
    with calo.live(job=job["id"]) as live:
        ended = live.wait_for_end(job["id"])
    assert ended["status"] == "resolved"
    assert ended["updated_at"] >= now + 1_000
