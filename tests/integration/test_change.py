"""Cancelling and retrying, and the watchdog that finds what was lost."""

import time
import uuid

import pytest

from tests.integration.conftest import HOPELESS, Calo, eventually, job_message, result_message


def test_a_pending_job_can_be_cancelled_and_its_late_result_changes_nothing(calo: Calo) -> None:
    with calo.live() as live:
        job = calo.create("pasta", delay_seconds=900)
        answer = calo.http.delete(f"jobs/{job['id']}")
        assert answer.status_code == 200
        assert (answer.json()["status"], answer.json()["version"]) == ("cancelled", 2)
        assert live.ended(job["id"]) == answer.json()
        calo.start_now(job["id"])
        calo.send("ResultsQueueUrl", result_message(job["id"]))
        eventually(lambda: calo.messages() == 0)
        live.fence(calo)
    assert calo.get(f"jobs/{job['id']}").json() == answer.json()


def test_a_job_that_has_ended_cannot_be_cancelled(calo: Calo) -> None:
    with calo.live() as live:
        job = live.ended(calo.create("pasta")["id"])
    refused = calo.http.delete(f"jobs/{job['id']}")
    assert refused.status_code == 409
    assert refused.headers["content-type"].startswith("application/problem+json")
    assert calo.get(f"jobs/{job['id']}").json() == job


def test_a_failed_job_can_be_tried_again(calo: Calo) -> None:
    with calo.live() as live:
        failed = live.ended(calo.create(HOPELESS)["id"])
        answer = calo.http.post(f"jobs/{failed['id']}/retry")
        assert answer.status_code == 200
        reopened = answer.json()
        assert (reopened["status"], reopened["error"]) == ("pending", None)
        assert reopened["version"] == failed["version"] + 1
        again = live.ended(failed["id"])
    assert (again["status"], again["version"]) == ("error", reopened["version"] + 1)


def test_a_cancelled_job_can_be_tried_again_and_an_old_failure_does_not_end_it(calo: Calo) -> None:
    with calo.live() as live:
        job = calo.create("pasta", delay_seconds=900)
        calo.http.delete(f"jobs/{job['id']}")
        calo.http.post(f"jobs/{job['id']}/retry")
        calo.send("DeadLetterQueueUrl", job_message(job["id"]))
        resolved = live.until(lambda one: one["id"] == job["id"] and one["status"] == "resolved")
    assert resolved["version"] == 4


@pytest.mark.parametrize("status", ["pending", "resolved"])
def test_only_a_job_that_failed_or_was_cancelled_can_be_tried_again(calo: Calo, status: str) -> None:
    with calo.live() as live:
        job = calo.create("pasta", delay_seconds=900 if status == "pending" else 0)
        if status == "resolved":
            live.ended(job["id"])
        assert calo.http.post(f"jobs/{job['id']}/retry").status_code == 409


@pytest.mark.parametrize(("method", "path"), [("DELETE", "jobs/{}"), ("POST", "jobs/{}/retry")])
def test_unknown_and_malformed_ids_are_refused(calo: Calo, method: str, path: str) -> None:
    assert calo.http.request(method, path.format(uuid.uuid4())).status_code == 404
    malformed = calo.http.request(method, path.format("12"))
    assert (malformed.status_code, malformed.json()["errors"][0]["field"]) == (400, "id")


def test_a_job_whose_message_was_deleted_behind_the_systems_back_still_ends(calo: Calo) -> None:
    eventually(lambda: calo.messages() == 0)
    with calo.live() as live:
        job = calo.create("pasta", delay_seconds=1)
        calo.client("sqs").purge_queue(QueueUrl=calo.system.outputs["JobsQueueUrl"])
        time.sleep(1 + calo.grace)  # the job has to be late, by the clock
        calo.run_watchdog()
        live.ended(job["id"])
        assert calo.get(f"jobs/{job['id']}").json()["status"] == "resolved"
