"""POST /jobs, from the event of API Gateway to the table and the queue."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from functions.common.api import handle
from functions.common.messages import JobMessage
from functions.common.store import JobStore, JobUpdate, due
from functions.create_job.create_job import JobIntake
from functions.create_job.handler import ROUTES
from functions.create_job.job_request import JobRequest
from tests.unit.factories import ADDRESS, CALLER, CORRELATION, NOW, SALT, ParsedResponse, api_event
from tests.unit.fakes import FakeClock, Queues
from tests.unit.faults import refused, watch

Post = Callable[..., ParsedResponse]

BAD_TEXTS = ["1", "null", '["a"]', '""', '"  "', '"a\\u0000b"', '"a\\nb"', '"\\ud800"', f'"{"x" * 81}"']
BAD_DELAYS = ['"5"', "true", "1.5", "NaN", "null", "-1", "901"]
BAD_BODIES = {
    "body": ["{", "query=pasta", "[]", "null", '"pasta"', "[" * 4000, " " * 4097],
    "query": [f'{{"query": {text}}}' for text in BAD_TEXTS],
    "delay_seconds": [f'{{"delay_seconds": {number}}}' for number in BAD_DELAYS],
    "topic": ['{"topic": "pasta"}'],
    "?": ['{"\\ud800": 1}'],
}


@pytest.fixture
def intake(store: JobStore, queues: Queues, clock: FakeClock) -> JobIntake:
    return JobIntake(store, queues.jobs, clock, SALT)


@pytest.fixture
def post(intake: JobIntake) -> Post:
    def send(body: str | None = None, key: str | None = None) -> ParsedResponse:
        headers = None if key is None else {"idempotency-key": key}
        return ParsedResponse.read(handle(ROUTES, api_event("POST", body=body, headers=headers), intake))

    return send


def items(dynamodb: Any) -> list[Any]:
    return list(dynamodb.scan(TableName="jobs")["Items"])


@pytest.mark.parametrize(("body", "query"), [('{"query": "pasta"}', "pasta"), ("{}", "food"), (None, "food")])
def test_a_new_job_is_returned_in_the_contracts_form(post: Post, body: str | None, query: str) -> None:
    answer = post(body)
    job_id = str(UUID(answer.body["id"]))
    begin = {"id": job_id, "status": "pending", "query": query, "result": None, "photo": None, "error": None}
    times = {"deferred_until": None, "created_at": NOW, "updated_at": NOW, "version": 1}
    assert (answer.status, list(answer.body.items())) == (201, list((begin | times).items()))
    assert answer.headers["Location"] == f"/api/jobs/{job_id}"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_job_is_written_and_queued_with_its_delay(post: Post, dynamodb: Any, queues: Queues) -> None:
    sends = watch(queues.sqs, "SendMessage")
    body = {"job_id": post('{"delay_seconds": 900}').body["id"], "owner": "public", "run": 1}
    body["correlation_id"] = CORRELATION
    assert [(send["DelaySeconds"], json.loads(send["MessageBody"])) for send in sends] == [(900, body)]
    [item] = items(dynamodb)
    assert item["due_at"] == item["wake_at"] == {"N": str(NOW + 900_000)}
    assert (item["caller"]["S"], "expires_at" in item) == (CALLER, False)


def test_the_same_key_returns_the_same_job(post: Post, clock: FakeClock, dynamodb: Any) -> None:
    first = post('{"query": "pasta"}', key="k")
    clock.now += 5000
    assert post('{"query":"pasta", "delay_seconds": 0}', key="k") == first
    assert post('{"query": "pizza"}', key="k").problem() == (422, "Idempotency-Key")
    assert len(items(dynamodb)) == 1
    assert len({first.body["id"], post().body["id"], post().body["id"]}) == 3


def test_concurrent_posts_with_one_key_create_one_job(intake: JobIntake, dynamodb: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(lambda _: intake.create_job(JobRequest(), "k", "", ADDRESS), range(16)))
    assert len({job.id for job in jobs}) == len(items(dynamodb)) == 1


def test_a_repeated_post_queues_a_job_that_could_not_be_queued(
    post: Post, queues: Queues, dynamodb: Any
) -> None:
    with refused(queues.sqs, "SendMessage"):
        answer = post(key="k")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert answer.headers["Content-Type"] == "application/problem+json"
    [item] = items(dynamodb)
    assert queues.jobs.bodies() == []
    assert post(key="k").body["id"] == item["id"]["S"]
    assert [body["job_id"] for body in queues.jobs.bodies()] == [item["id"]["S"]]
    assert [each["version"] for each in items(dynamodb)] == [item["version"]]


def test_repeated_posts_send_few_messages(post: Post, queues: Queues, clock: FakeClock) -> None:
    """The time since the job was due doubles from one message to the next, however often it is posted."""
    sends = watch(queues.sqs, "SendMessageBatch")
    for _ in range(600):
        post(key="k")
        clock.now += 100
    assert len(sends) == 7


@pytest.mark.parametrize("delay", [0, 600])
def test_a_repeated_post_wakes_the_job_when_it_is_due(
    post: Post, queues: Queues, clock: FakeClock, delay: int
) -> None:
    sends = watch(queues.sqs, "SendMessageBatch")
    for _ in range(5):
        post(f'{{"delay_seconds": {delay}}}', key="k")
    assert [entry["DelaySeconds"] for send in sends for entry in send["Entries"]] == [delay]


def test_a_repeated_post_that_cannot_queue_the_job_says_so_and_the_next_one_queues_it(
    post: Post, queues: Queues
) -> None:
    for _ in range(3):
        with refused(queues.sqs, "SendMessage"), refused(queues.sqs, "SendMessageBatch"):
            assert post(key="k").status == 503
    assert post(key="k").status == 201
    assert len(queues.jobs.bodies()) == 1


@pytest.mark.parametrize("values", [{"parked": True, "due_at": NOW + 3_600_000}, {"due_at": NOW + 10_000}])
def test_a_waiting_job_keeps_waiting_when_its_post_is_repeated(
    post: Post, store: JobStore, queues: Queues, values: dict[str, Any]
) -> None:
    job_id = post(key="k").body["id"]
    queues.jobs.bodies()
    message = JobMessage(job_id=job_id, owner="public", run=1)
    parked = values.get("parked", False)
    store.update_all([JobUpdate(message, due(values["due_at"], parked=parked))])
    for _ in range(60):
        assert post(key="k").body["status"] == "pending"
    job = store.get(job_id)
    assert job
    assert (job.due_at, job.parked, job.attempts) == (values["due_at"], parked, 0)


def test_a_job_that_has_ended_is_not_queued_again(post: Post, queues: Queues, dynamodb: Any) -> None:
    post(key="k")
    [item] = items(dynamodb)
    ended = {**item, "status": {"S": "resolved"}}
    del ended["wake_at"]
    dynamodb.put_item(TableName="jobs", Item=ended)
    assert post(key="k").body["status"] == "resolved"
    assert len(queues.jobs.bodies()) == 1


def test_a_failing_table_returns_503(post: Post, dynamodb: Any) -> None:
    with refused(dynamodb, "PutItem"):
        answer = post()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


@pytest.mark.parametrize("field", BAD_BODIES)
def test_an_invalid_body_names_its_field_and_creates_nothing(
    post: Post, dynamodb: Any, queues: Queues, field: str
) -> None:
    for body in BAD_BODIES[field]:
        assert post(body).problem() == (413 if len(body) > 4096 else 400, field)
    assert (items(dynamodb), queues.jobs.bodies()) == ([], [])


@pytest.mark.parametrize("key", ["", "k" * 201, "schlüssel", "a\tb"])
def test_an_invalid_key_is_refused_and_creates_nothing(
    post: Post, dynamodb: Any, queues: Queues, key: str
) -> None:
    assert post(key=key).problem() == (400, "Idempotency-Key")
    assert (items(dynamodb), queues.jobs.bodies()) == ([], [])
