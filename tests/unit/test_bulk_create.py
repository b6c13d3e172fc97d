"""POST /jobs/bulk, from the event of API Gateway to the table and the queues."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from functions.common.api import Api
from functions.common.store import JobStore
from functions.create_job.bulk_request import MAX_BULK_BODY
from functions.create_job.create_job import JobIntake
from functions.create_job.handler import ROUTES, CreateJob
from kinds import countdown, photo
from tests.unit.factories import CALLER, CORRELATION, SALT, ParsedResponse, api_event
from tests.unit.fakes import FakeClock, Queues, ReadableQueue
from tests.unit.faults import refuse_entry, refused, watch
from tests.unit.test_call_counts import CountedCalls

Post = Callable[..., ParsedResponse]
Entry = dict[str, Any]

KINDS = {kind.name: kind for kind in (photo.KIND, countdown.KIND)}
COUNTDOWN = {"kind": "countdown", "input": {"seconds": 5}}


@pytest.fixture
def countdowns(queues: Queues) -> ReadableQueue:
    return ReadableQueue(queues.sqs, "countdown")


@pytest.fixture
def api(store: JobStore, queues: Queues, countdowns: ReadableQueue, clock: FakeClock) -> Api:
    intake = JobIntake(store, {"photo": queues.jobs, "countdown": countdowns}, clock, SALT)
    return Api(ROUTES, CreateJob(intake, KINDS), "none")


@pytest.fixture
def post(api: Api) -> Post:
    def send(entries: Any = None, *, body: str | None = None, **headers: str) -> ParsedResponse:
        text = json.dumps({"jobs": entries}) if body is None else body
        return ParsedResponse.read(api.handle(api_event("POST", "/jobs/bulk", body=text, headers=headers)))

    return send


def items(dynamodb: Any) -> list[Any]:
    return list(dynamodb.scan(TableName="jobs")["Items"])


def results(answer: ParsedResponse) -> list[Any]:
    """Return the id of each job, or the status and field of each problem."""
    assert answer.status == 200
    return [
        result.get("id") or (result["status"], *(error["field"] for error in result["errors"]))
        for result in answer.body["results"]
    ]


def test_entries_are_independent_and_answered_in_order(
    post: Post, dynamodb: Any, queues: Queues, countdowns: ReadableQueue
) -> None:
    answer = post(
        [
            {"query": "pasta"},
            {"query": 5},
            COUNTDOWN | {"delay_seconds": 5},
            {"kind": "countdown", "input": {"minutes": 1}},
            "pasta",
            {"query": "tea", "key": "schlüssel"},
            {"query": "tea", "key": None},
            {},
        ]
    )
    jobs = results(answer)
    assert jobs[1:2] == [(400, "query")]
    assert jobs[3:7] == [(400, "input.minutes"), (400, "entry"), (400, "key"), (400, "key")]
    assert [job.get("input") for job in answer.body["results"] if "id" in job] == [
        {"query": "pasta"},
        {"seconds": 5},
        {"query": "food"},
    ]
    stored = {item["id"]["S"]: item for item in items(dynamodb)}
    assert set(stored) == {jobs[0], jobs[2], jobs[7]}
    assert {item["correlation_id"]["S"] for item in stored.values()} == {CORRELATION}
    assert {body["job_id"] for body in queues.jobs.bodies()} == {jobs[0], jobs[7]}
    assert [item["starts_at"] for item in answer.body["results"] if item.get("kind") == "countdown"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ("{", 400, "body"),
        ("[]", 400, "body"),
        ("{}", 400, "jobs"),
        ('{"jobs": {}}', 400, "jobs"),
        ('{"jobs": []}', 400, "jobs"),
        (json.dumps({"jobs": [{}] * 101}), 400, "jobs"),
        ('{"jobs": [{}], "kind": "photo"}', 400, "kind"),
        (" " * (MAX_BULK_BODY + 1), 413, "body"),
        ("é" * (MAX_BULK_BODY // 2 + 1), 413, "body"),
    ],
)
def test_a_body_that_is_invalid_as_a_whole_creates_nothing(
    post: Post, dynamodb: Any, body: str, status: int, field: str
) -> None:
    assert post(body=body).problem() == (status, field)
    assert items(dynamodb) == []


def test_a_key_for_the_whole_call_is_refused(post: Post, dynamodb: Any) -> None:
    assert post([{}], **{"idempotency-key": "k"}).problem() == (400, "Idempotency-Key")
    assert items(dynamodb) == []


def test_the_same_key_is_the_same_job_also_within_a_call(post: Post, api: Api, dynamodb: Any) -> None:
    pasta, tea = {"query": "pasta", "key": "a"}, {"query": "tea", "key": "b"}
    first, again, second, other = results(post([pasta, pasta, tea, pasta | {"query": "rice"}]))
    assert first == again != second
    assert other == (422, "key")
    assert results(post([tea, pasta, tea | {"query": "rice"}])) == [second, first, (422, "key")]
    alone = api_event("POST", "/jobs", body='{"query": "pasta"}', headers={"Idempotency-Key": "a"})
    assert ParsedResponse.read(api.handle(alone)).body["id"] == first
    assert len(items(dynamodb)) == 2


@pytest.mark.parametrize(
    ("photos", "countdowns_wanted"), [(1, 0), (9, 0), (10, 0), (11, 0), (100, 0), (51, 49), (1, 1)]
)
def test_a_call_makes_few_calls_beyond_its_writes(
    post: Post, dynamodb: Any, queues: Queues, photos: int, countdowns_wanted: int
) -> None:
    counted = CountedCalls(dynamodb, queues.sqs)
    entries: list[Entry] = [{"query": "pasta"}] * photos + [COUNTDOWN] * countdowns_wanted
    entries = [{**entry, "key": f"k{number}"} for number, entry in enumerate(entries)]
    kinds = 1 + bool(countdowns_wanted)
    ids = results(post(entries))
    calls = counted.take()
    assert calls.pop("PutItem") == len(entries)
    assert calls.total() <= 2 + len(entries) / 10 + kinds - 1
    assert results(post(entries)) == ids
    calls = counted.take()
    assert calls["PutItem"] + calls.pop("UpdateItem") <= max(2, len(entries))
    assert calls["BatchGetItem"] == 1
    assert calls.total() - calls["PutItem"] <= 2 + len(entries) / 10 + kinds - 1


def test_messages_have_the_caller_as_their_group(post: Post, queues: Queues) -> None:
    sends = watch(queues.sqs, "SendMessageBatch")
    post([{}] * 12)
    groups = [entry["MessageGroupId"] for send in sends for entry in send["Entries"]]
    assert groups == [CALLER] * 12


def test_a_message_that_is_not_accepted_is_the_problem_of_its_entry_only(
    post: Post, queues: Queues, dynamodb: Any
) -> None:
    entries = [{"query": f"topic {number}", "key": f"k{number}"} for number in range(3)]
    refuse_entry(queues.sqs, 1)
    answers = results(post(entries))
    assert [type(answer) for answer in answers] == [str, tuple, str]
    assert answers[1] == (503,)
    assert len(items(dynamodb)) == 3


def test_a_job_that_is_not_written_is_the_problem_of_its_entry_only(
    post: Post, queues: Queues, dynamodb: Any
) -> None:
    entries = [{"query": f"topic {number}", "key": f"k{number}"} for number in range(3)]
    with refused(dynamodb, "PutItem", only=b"topic 1"):
        answers = results(post(entries))
    assert answers[1] == (503,)
    assert len(queues.jobs.bodies()) == len(items(dynamodb)) == 2
    assert results(post(entries))[::2] == answers[::2]
    assert len(items(dynamodb)) == 3


def test_a_call_that_dies_half_way_is_completed_by_repeating_it(
    post: Post, queues: Queues, countdowns: ReadableQueue, dynamodb: Any
) -> None:
    entries: list[Entry] = [{"query": f"topic {number}", "key": f"k{number}"} for number in range(5)]
    entries.append(COUNTDOWN | {"key": "c"})
    with refused(queues.sqs, "SendMessage"), refused(queues.sqs, "SendMessageBatch"):
        assert results(post(entries)) == [(503,)] * 6
    ids = results(post(entries))
    queued = Counter(body["job_id"] for queue in (queues.jobs, countdowns) for body in queue.bodies())
    assert queued == Counter(ids) == Counter(item["id"]["S"] for item in items(dynamodb))


def test_a_damaged_job_is_the_problem_of_its_entry_only(post: Post, dynamodb: Any) -> None:
    pasta, tea = {"query": "pasta", "key": "a"}, {"query": "tea", "key": "b"}
    [broken] = results(post([pasta]))
    update = {"UpdateExpression": "SET version = :v", "ExpressionAttributeValues": {":v": {"S": "x"}}}
    dynamodb.update_item(TableName="jobs", Key={"id": {"S": broken}}, **update)
    damaged, whole = results(post([pasta, tea]))
    assert (damaged, type(whole)) == ((500,), str)
