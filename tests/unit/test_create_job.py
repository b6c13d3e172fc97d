"""POST /jobs, from the event of API Gateway to the table and the queue."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from functions.common.api import Api
from functions.common.kind_input import MAX_BODY
from functions.common.messages import JobMessage
from functions.common.store import JobStore, JobUpdate, due
from functions.create_job.create_job import JobIntake
from functions.create_job.handler import ROUTES, CreateJob
from kinds import countdown, photo
from tests.unit.factories import CALLER, CORRELATION, NOW, SALT, ParsedResponse, api_event, create_one
from tests.unit.fakes import FakeClock, Queues
from tests.unit.faults import refused, watch

Post = Callable[..., ParsedResponse]

KINDS = {kind.name: kind for kind in (photo.KIND, countdown.KIND)}

BAD_TEXTS = ["1", "null", '["a"]', '""', '"  "', '"a\\u0000b"', '"a\\nb"', '"\\ud800"', f'"{"x" * 81}"']
BAD_DELAYS = ['"5"', "true", "1.5", "NaN", "null", "-1", "2592001"]
BAD_BODIES = {
    "body": ["{", "query=pasta", "[]", "null", '"pasta"', "[" * 100_000, " " * (MAX_BODY + 1)],
    "query": [f'{{"query": {text}}}' for text in BAD_TEXTS],
    "delay_seconds": [f'{{"delay_seconds": {number}}}' for number in BAD_DELAYS],
    "topic": ['{"topic": "pasta"}'],
    "?": ['{"\\ud800": 1}'],
    "kind": ['{"kind": "unknown"}', '{"kind": null}', '{"kind": ["photo"]}', '{"kind": ""}'],
    "input": ['{"input": null}', '{"input": "pasta"}', '{"kind": "countdown", "input": [5]}'],
    "input.query": ['{"input": {"query": 5}}', '{"kind": "photo", "input": {"query": "  "}}'],
    "input.topic": ['{"input": {"topic": "pasta"}}'],
    "query ": ['{"query": "pasta", "input": {}}', '{"kind": "countdown", "query": "pasta"}'],
    "input.seconds": [
        f'{{"kind": "countdown", "input": {{"seconds": {value}}}}}'
        for value in ("0", "601", "1.5", '"5"', "true", "null", "1e400", "NaN")
    ],
    "input.?": ['{"kind": "countdown", "input": {"\\ud800": 1}}'],
    "seconds": ['{"kind": "countdown", "seconds": 5}'],
}


@pytest.fixture
def intake(store: JobStore, queues: Queues, clock: FakeClock) -> JobIntake:
    return JobIntake(store, {"photo": queues.jobs, "countdown": queues.jobs}, clock, SALT)


@pytest.fixture
def post(intake: JobIntake) -> Post:
    def send(body: str | None = None, key: str | None = None) -> ParsedResponse:
        headers = None if key is None else {"idempotency-key": key}
        event = api_event("POST", body=body, headers=headers)
        return ParsedResponse.read(Api(ROUTES, CreateJob(intake, KINDS), "none").handle(event))

    return send


def items(dynamodb: Any) -> list[Any]:
    return list(dynamodb.scan(TableName="jobs")["Items"])


@pytest.mark.parametrize(("body", "query"), [('{"query": "pasta"}', "pasta"), ("{}", "food"), (None, "food")])
def test_a_new_job_is_returned_in_the_contracts_form(post: Post, body: str | None, query: str) -> None:
    answer = post(body)
    job_id = str(UUID(answer.body["id"]))
    job = {"id": job_id, "kind": "photo", "status": "pending", "input": {"query": query}, "output": None}
    nothing = dict.fromkeys(("progress", "error", "starts_at", "deferred_until"))
    times = {"created_at": NOW, "updated_at": NOW, "version": 1}
    first_contract = {"query": query, "result": None, "photo": None}
    expected = job | nothing | times | first_contract
    assert (answer.status, list(answer.body.items())) == (201, list(expected.items()))
    assert answer.headers["Location"] == f"/api/jobs/{job_id}"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_job_is_written_and_queued_with_its_delay(post: Post, dynamodb: Any, queues: Queues) -> None:
    sends = watch(queues.sqs, "SendMessageBatch")
    job = post('{"delay_seconds": 900}').body
    assert job["starts_at"] == NOW + 900_000
    body = {"job_id": job["id"], "owner": "public", "kind": "photo", "run": 1}
    body["correlation_id"] = CORRELATION
    [[entry]] = [send["Entries"] for send in sends]
    assert (entry["DelaySeconds"], json.loads(entry["MessageBody"])) == (900, body)
    assert entry["MessageGroupId"] == CALLER
    [item] = items(dynamodb)
    assert item["due_at"] == item["wake_at"] == {"N": str(NOW + 900_000)}
    assert (item["caller"]["S"], "expires_at" in item) == (CALLER, False)


@pytest.mark.parametrize("delay", [901, 2_592_000])
def test_a_job_that_starts_later_than_a_message_can_wait_is_parked(
    post: Post, dynamodb: Any, queues: Queues, clock: FakeClock, delay: int
) -> None:
    """It has no message, whenever its post is repeated, and it does not expire."""
    first, further = watch(queues.sqs, "SendMessage"), watch(queues.sqs, "SendMessageBatch")
    body = f'{{"delay_seconds": {delay}}}'
    job = post(body, key="k").body
    assert job["starts_at"] == NOW + 1000 * delay
    [item] = items(dynamodb)
    assert (item["parked"], item["due_at"], item["wake_at"]) == (
        {"BOOL": True},
        *2 * [{"N": str(NOW + 1000 * delay)}],
    )
    assert item["due_shard"]["S"].startswith("wait#")
    assert "expires_at" not in item
    for clock.now in (NOW + 1, NOW + 1000 * delay - 1, NOW + 1000 * delay + 1):
        assert post(body, key="k").body == job
    assert (items(dynamodb), first, further) == ([item], [], [])


@pytest.mark.parametrize(
    "body",
    ['{"query": "pasta"}', '{"input": {"query": " pasta "}}', '{"kind": "photo", "query": "pasta"}'],
)
def test_the_forms_of_a_photo_request_are_the_same(post: Post, body: str) -> None:
    job = post(body, key="k").body
    assert (job["kind"], job["input"], job["query"]) == ("photo", {"query": "pasta"}, "pasta")
    assert post('{"query": "pasta"}', key="k").body == job


def test_a_job_of_another_kind_has_its_input_with_defaults(post: Post, queues: Queues) -> None:
    job = post('{"kind": "countdown", "input": {}}').body
    assert (job["kind"], job["input"], "query" in job) == ("countdown", {"seconds": 10}, False)
    assert [message["kind"] for message in queues.jobs.bodies()] == ["countdown"]


def test_the_same_key_returns_the_same_job(post: Post, clock: FakeClock, dynamodb: Any) -> None:
    first = post('{"query": "pasta"}', key="k")
    clock.now += 5000
    assert post('{"query":"pasta", "delay_seconds": 0}', key="k") == first
    assert post('{"query": "pizza"}', key="k").problem() == (422, "Idempotency-Key")
    assert len(items(dynamodb)) == 1
    assert len({first.body["id"], post().body["id"], post().body["id"]}) == 3


def test_concurrent_posts_with_one_key_create_one_job(intake: JobIntake, dynamodb: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(lambda _: create_one(intake, key="k"), range(16)))
    assert len({job.id for job in jobs}) == len(items(dynamodb)) == 1


def test_a_repeated_post_queues_a_job_that_could_not_be_queued(
    post: Post, queues: Queues, dynamodb: Any
) -> None:
    with refused(queues.sqs, "SendMessage"), refused(queues.sqs, "SendMessageBatch"):
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
    for _ in range(150):
        post(key="k")
        clock.now += 400
    assert len(sends) == 1 + 7


@pytest.mark.parametrize("delay", [0, 600])
def test_a_repeated_post_wakes_the_job_when_it_is_due(
    post: Post, queues: Queues, clock: FakeClock, delay: int
) -> None:
    sends = watch(queues.sqs, "SendMessageBatch")
    for _ in range(5):
        post(f'{{"delay_seconds": {delay}}}', key="k")
    assert [entry["DelaySeconds"] for send in sends for entry in send["Entries"]] == [delay] * 2


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
    message = JobMessage(job_id=job_id, owner="public", kind="photo", run=1)
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
        assert post(body).problem() == (413 if len(body) > MAX_BODY else 400, field.strip()), body
    assert (items(dynamodb), queues.jobs.bodies()) == ([], [])


@pytest.mark.parametrize("key", ["", "k" * 201, "schlüssel", "a\tb"])
def test_an_invalid_key_is_refused_and_creates_nothing(
    post: Post, dynamodb: Any, queues: Queues, key: str
) -> None:
    assert post(key=key).problem() == (400, "Idempotency-Key")
    assert (items(dynamodb), queues.jobs.bodies()) == ([], [])
