"""The path of a job from POST to a live event, and the effect of repeated and invalid messages."""

import contextlib
import io
import json
from collections.abc import Iterator

import httpx
from PIL import Image

from tests.integration.conftest import TOPIC_WITHOUT_PHOTOS, Calo, eventually, job_message, result_message


def test_a_posted_job_is_resolved_with_a_valid_image(calo: Calo) -> None:
    with calo.live() as live:
        created = calo.create("pasta")
        resolved = live.wait_for_end(created["id"])
    assert (resolved["status"], resolved["version"], resolved["error"]) == (
        "resolved",
        created["version"] + 1,
        None,
    )
    for url in (resolved["result"], resolved["photo"]["small"], resolved["photo"]["regular"]):
        image = httpx.get(url, timeout=60)
        assert image.headers["content-type"] == "image/webp"
        assert "immutable" in image.headers["cache-control"]
        Image.open(io.BytesIO(image.content)).verify()
    assert calo.get(f"jobs/{created['id']}").json() == resolved


def test_a_failure_is_streamed_with_its_reason(calo: Calo) -> None:
    with calo.live() as live:
        created = calo.create(TOPIC_WITHOUT_PHOTOS)
        failed = live.wait_for_end(created["id"])
    assert failed["status"] == "error"
    assert failed["error"]["code"] == "no_photos"
    assert TOPIC_WITHOUT_PHOTOS in failed["error"]["message"]
    assert failed["error"]["attempts"] == 1
    assert failed["result"] is None


def test_a_delayed_job_is_streamed_as_pending_and_waits(calo: Calo) -> None:
    with calo.live() as live:
        created = calo.create("pasta", delay_seconds=4)
        assert live.wait_for(lambda job: job["id"] == created["id"]) == created
        resolved = live.wait_for_end(created["id"])
    assert resolved["updated_at"] - created["created_at"] >= 4000


def test_duplicates_of_every_message_change_nothing(calo: Calo) -> None:
    with calo.live() as live:
        job = live.wait_for_end(calo.create("pasta")["id"])
        message = job_message(job["id"])
        failure = {**message, "code": "forged", "message": "forged", "attempts": 3}
        for _ in range(2):
            calo.send("JobsQueueUrl", message)
            calo.send("ResultsQueueUrl", result_message(job["id"]))
            calo.send("DeadLetterQueueUrl", failure)
            calo.send("DeadLetterQueueUrl", message)
        republish(calo, job["id"])
        eventually(lambda: calo.count_messages() == 0)
        count = len(live.received)
        live.catch_up(calo)
    assert [event for event in live.received[count:] if event["id"] == job["id"]] == []
    assert calo.get(f"jobs/{job['id']}").json() == job


def republish(calo: Calo, job_id: str) -> None:
    """Publish the newest stream record of the job to the topic again."""
    item = calo.client("dynamodb").get_item(
        TableName=calo.system.outputs["JobsTable"], Key={"id": {"S": job_id}}
    )["Item"]
    record = {"eventName": "MODIFY", "dynamodb": {"NewImage": item}}
    calo.client("sns").publish(TopicArn=calo.system.outputs["TopicArn"], Message=json.dumps(record))


def test_a_dead_letter_without_a_reason_ends_its_job_as_crashed(calo: Calo) -> None:
    with calo.live() as live:
        created = calo.create("pasta", delay_seconds=900)
        calo.send("DeadLetterQueueUrl", job_message(created["id"]))
        failed = live.wait_for_end(created["id"])
    assert (failed["status"], failed["error"]["code"]) == ("error", "crashed")


@contextlib.contextmanager
def crashing_worker(calo: Calo) -> Iterator[None]:
    """Make the worker fail at every start by removing a setting. Messages are redelivered after a second."""
    functions, sqs, jobs = calo.client("lambda"), calo.client("sqs"), calo.system.outputs["JobsQueueUrl"]
    name = calo.function_name("job_worker")
    environment = functions.get_function_configuration(FunctionName=name)["Environment"]
    hidden = sqs.get_queue_attributes(QueueUrl=jobs, AttributeNames=["VisibilityTimeout"])["Attributes"]
    broken = {key: value for key, value in environment["Variables"].items() if key != "BUDGETS"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": broken})
    sqs.set_queue_attributes(QueueUrl=jobs, Attributes={"VisibilityTimeout": "1"})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment=environment)
        sqs.set_queue_attributes(QueueUrl=jobs, Attributes=hidden)


def test_when_a_worker_always_crashes_the_redrive_policy_ends_its_job_as_crashed(calo: Calo) -> None:
    with calo.live() as live:
        with crashing_worker(calo):
            created = calo.create("pasta")
            failed = live.wait_for_end(created["id"], seconds=60)
        assert failed["status"] == "error"
        assert (failed["error"]["code"], failed["error"]["attempts"]) == ("crashed", 5)
        assert calo.http.post(f"jobs/{created['id']}/retry").status_code == 200
        assert live.wait_for_end(created["id"])["status"] == "resolved"


def test_invalid_messages_do_not_affect_other_jobs(calo: Calo) -> None:
    for body in ("", "no json", "[]", '{"job_id": 1}', '{"job_id": "x"}'):
        calo.send("DeadLetterQueueUrl", body or " ")
    calo.send("ResultsQueueUrl", "no json")
    with calo.live() as live:
        assert live.wait_for_end(calo.create("pasta")["id"])["status"] == "resolved"
    # the invalid result would be redelivered for a long time
    calo.client("sqs").purge_queue(QueueUrl=calo.system.outputs["ResultsQueueUrl"])
    dead_letters = calo.system.outputs["DeadLetterQueueUrl"]
    attribute = "ApproximateNumberOfMessages"
    eventually(
        lambda: (
            calo.client("sqs").get_queue_attributes(QueueUrl=dead_letters, AttributeNames=[attribute])[
                "Attributes"
            ][attribute]
            == "0"
        )
    )


def test_jobs_of_one_topic_share_requests_and_each_gets_a_different_photo(calo: Calo) -> None:
    before = calo.get("stats").json()["budget"]["remaining"]
    with calo.live() as live:
        jobs = [calo.create("lakes at dawn") for _ in range(20)]
        pending = {job["id"] for job in jobs}
        while pending:
            pending.discard(live.wait_for(lambda job: job["status"] == "resolved")["id"])
    photos = {calo.get(f"jobs/{job['id']}").json()["photo"]["id"] for job in jobs}
    assert len(photos) == 20
    assert before - calo.get("stats").json()["budget"]["remaining"] <= 4
