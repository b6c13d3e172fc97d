"""Cancel and retry jobs, and recover a lost job with the watchdog."""

import time
import uuid

import pytest

from tests.integration.conftest import TOPIC_WITHOUT_PHOTOS, Calo, eventually, job_message, result_message


def test_a_pending_job_can_be_cancelled_and_its_late_result_changes_nothing(calo: Calo) -> None:
    with calo.live() as live:
        job = calo.create("pasta", delay_seconds=900)
        response = calo.http.delete(f"jobs/{job['id']}")
        assert response.status_code == 200
        assert (response.json()["status"], response.json()["version"]) == ("cancelled", 2)
        assert live.wait_for_end(job["id"]) == response.json()
        calo.start_now(job["id"])
        calo.send("ResultsQueueUrl", result_message(job["id"]))
        eventually(lambda: calo.count_messages() == 0)
        live.catch_up(calo)
    assert calo.get(f"jobs/{job['id']}").json() == response.json()


def test_a_job_that_has_ended_cannot_be_cancelled(calo: Calo) -> None:
    with calo.live() as live:
        job = live.wait_for_end(calo.create("pasta")["id"])
    response = calo.http.delete(f"jobs/{job['id']}")
    assert response.status_code == 409
    assert response.headers["content-type"].startswith("application/problem+json")
    assert calo.get(f"jobs/{job['id']}").json() == job


def test_a_failed_job_can_be_retried(calo: Calo) -> None:
    with calo.live() as live:
        failed = live.wait_for_end(calo.create(TOPIC_WITHOUT_PHOTOS)["id"])
        response = calo.http.post(f"jobs/{failed['id']}/retry")
        assert response.status_code == 200
        reopened = response.json()
        assert (reopened["status"], reopened["error"]) == ("pending", None)
        assert reopened["version"] == failed["version"] + 1
        retried = live.wait_for_end(failed["id"])
    assert (retried["status"], retried["version"]) == ("error", reopened["version"] + 1)


def test_a_cancelled_job_can_be_retried_and_an_old_failure_does_not_end_it(calo: Calo) -> None:
    with calo.live() as live:
        job = calo.create("pasta", delay_seconds=900)
        calo.http.delete(f"jobs/{job['id']}")
        calo.http.post(f"jobs/{job['id']}/retry")
        calo.send("DeadLetterQueueUrl", job_message(job["id"]))
        resolved = live.wait_for(
            lambda received: received["id"] == job["id"] and received["status"] == "resolved"
        )
    assert resolved["version"] == 4


@pytest.mark.parametrize("status", ["pending", "resolved"])
def test_only_a_failed_or_cancelled_job_can_be_retried(calo: Calo, status: str) -> None:
    with calo.live() as live:
        job = calo.create("pasta", delay_seconds=900 if status == "pending" else 0)
        if status == "resolved":
            live.wait_for_end(job["id"])
        assert calo.http.post(f"jobs/{job['id']}/retry").status_code == 409


@pytest.mark.parametrize(("method", "path"), [("DELETE", "jobs/{}"), ("POST", "jobs/{}/retry")])
def test_unknown_and_malformed_ids_are_rejected(calo: Calo, method: str, path: str) -> None:
    assert calo.http.request(method, path.format(uuid.uuid4())).status_code == 404
    malformed = calo.http.request(method, path.format("12"))
    assert (malformed.status_code, malformed.json()["errors"][0]["field"]) == (400, "id")


def test_a_job_whose_message_was_deleted_still_ends(calo: Calo) -> None:
    eventually(lambda: calo.count_messages() == 0)
    with calo.live() as live:
        job = calo.create("pasta", delay_seconds=1)
        calo.client("sqs").purge_queue(QueueUrl=calo.system.outputs["JobsQueueUrl"])
        time.sleep(1 + calo.grace)  # the job must be overdue, and the watchdog uses the real time
        calo.run_watchdog()
        live.wait_for_end(job["id"])
        assert calo.get(f"jobs/{job['id']}").json()["status"] == "resolved"
