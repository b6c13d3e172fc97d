"""A job's way from POST to a live event, and what a repeated message changes: nothing."""

import contextlib
import io
import json
from collections.abc import Iterator

import httpx
from PIL import Image

from tests.integration.conftest import HOPELESS, Calo, eventually, job_message, result_message


def test_a_job_goes_from_post_to_a_live_event_with_an_image_that_opens(calo: Calo) -> None:
    with calo.live() as live:
        created = calo.create("pasta")
        resolved = live.ended(created["id"])
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


def test_a_failure_is_told_live_with_its_reason(calo: Calo) -> None:
    with calo.live() as live:
        created = calo.create(HOPELESS)
        failed = live.ended(created["id"])
    assert failed["status"] == "error"
    assert failed["error"]["code"] == "no_photos"
    assert HOPELESS in failed["error"]["message"]
    assert failed["error"]["attempts"] == 1
    assert failed["result"] is None


def test_a_delayed_job_waits_and_is_told_live_as_pending(calo: Calo) -> None:
    with calo.live() as live:
        created = calo.create("pasta", delay_seconds=4)
        assert live.until(lambda job: job["id"] == created["id"]) == created
        resolved = live.ended(created["id"])
    assert resolved["updated_at"] - created["created_at"] >= 4000


def test_duplicates_of_every_message_change_nothing(calo: Calo) -> None:
    with calo.live() as live:
        job = live.ended(calo.create("pasta")["id"])
        message = job_message(job["id"])
        failure = {**message, "code": "forged", "message": "forged", "attempts": 3}
        for _ in range(2):
            calo.send("JobsQueueUrl", message)
            calo.send("ResultsQueueUrl", result_message(job["id"]))
            calo.send("DeadLetterQueueUrl", failure)
            calo.send("DeadLetterQueueUrl", message)
        republish(calo, job["id"])
        eventually(lambda: calo.messages() == 0)
        seen = len(live.seen)
        live.fence(calo)
    assert [one for one in live.seen[seen:] if one["id"] == job["id"]] == []
    assert calo.get(f"jobs/{job['id']}").json() == job


def republish(calo: Calo, job_id: str) -> None:
    """Send the job's newest stream record through the topic once more."""
    item = calo.client("dynamodb").get_item(
        TableName=calo.system.outputs["JobsTable"], Key={"id": {"S": job_id}}
    )["Item"]
    record = {"eventName": "MODIFY", "dynamodb": {"NewImage": item}}
    calo.client("sns").publish(TopicArn=calo.system.outputs["TopicArn"], Message=json.dumps(record))


def test_a_message_that_no_worker_could_report_ends_its_job_as_crashed(calo: Calo) -> None:
    with calo.live() as live:
        created = calo.create("pasta", delay_seconds=900)
        calo.send("DeadLetterQueueUrl", job_message(created["id"]))
        failed = live.ended(created["id"])
    assert (failed["status"], failed["error"]["code"]) == ("error", "crashed")


@contextlib.contextmanager
def crashing_worker(calo: Calo) -> Iterator[None]:
    """The worker dies at every start, for want of a setting; its messages come again after a second."""
    functions, sqs, jobs = calo.client("lambda"), calo.client("sqs"), calo.system.outputs["JobsQueueUrl"]
    name = calo.function("job_worker")
    environment = functions.get_function_configuration(FunctionName=name)["Environment"]
    hidden = sqs.get_queue_attributes(QueueUrl=jobs, AttributeNames=["VisibilityTimeout"])["Attributes"]
    broken = {key: value for key, value in environment["Variables"].items() if key != "IMAGES"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": broken})
    sqs.set_queue_attributes(QueueUrl=jobs, Attributes={"VisibilityTimeout": "1"})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment=environment)
        sqs.set_queue_attributes(QueueUrl=jobs, Attributes=hidden)


def test_a_worker_that_crashes_every_time_ends_its_job_as_crashed_by_the_redrive(calo: Calo) -> None:
    with calo.live() as live:
        with crashing_worker(calo):
            created = calo.create("pasta")
            failed = live.ended(created["id"], seconds=60)
        assert failed["status"] == "error"
        assert (failed["error"]["code"], failed["error"]["attempts"]) == ("crashed", 5)
        assert calo.http.post(f"jobs/{created['id']}/retry").status_code == 200
        assert live.ended(created["id"])["status"] == "resolved"


def test_poisoned_messages_harm_nobody(calo: Calo) -> None:
    for body in ("", "no json", "[]", '{"job_id": 1}', '{"job_id": "x"}'):
        calo.send("DeadLetterQueueUrl", body or " ")
    calo.send("ResultsQueueUrl", "no json")
    with calo.live() as live:
        assert live.ended(calo.create("pasta")["id"])["status"] == "resolved"
    calo.client("sqs").purge_queue(QueueUrl=calo.system.outputs["ResultsQueueUrl"])  # it would try for long
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


def test_a_batch_of_one_topic_shares_requests_and_every_job_gets_its_own_photo(calo: Calo) -> None:
    before = calo.get("stats").json()["budget"]["remaining"]
    with calo.live() as live:
        jobs = [calo.create("lakes at dawn") for _ in range(20)]
        wanted = {job["id"] for job in jobs}
        while wanted:
            wanted.discard(live.until(lambda job: job["status"] == "resolved")["id"])
    photos = {calo.get(f"jobs/{job['id']}").json()["photo"]["id"] for job in jobs}
    assert len(photos) == 20
    assert before - calo.get("stats").json()["budget"]["remaining"] <= 4
