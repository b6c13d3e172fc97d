"""Each handler, called twice in one process like Lambda does: cold, then warm."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from functions.change_job import handler as change_job
from functions.common.ledger import Ledger
from functions.common.observability import metrics
from functions.common.store import JobStore
from functions.create_job import handler as create_job
from functions.dlq_worker import handler as dlq_worker
from functions.job_counter import handler as job_counter
from functions.job_watchdog import handler as job_watchdog
from functions.job_worker import handler as job_worker
from functions.read_jobs import handler as read_jobs
from functions.result_worker import handler as result_worker
from functions.schedules import handler as schedules_function
from functions.webhook_sender import handler as webhook_sender
from functions.webhooks import handler as webhooks
from tests.unit import factories as make
from tests.unit.factories import CONTEXT, ParsedResponse
from tests.unit.fakes import Page, Queues, page
from tests.unit.test_unsplash import PHOTO

FACTORIES: list[Any] = [
    create_job.create_job,
    change_job.changer,
    read_jobs.reader,
    schedules_function.schedules,
    job_worker.worker,
    result_worker.store,
    dlq_worker.dependencies,
    job_counter.counter,
    job_watchdog.watchdog,
    webhook_sender.sender,
    webhooks.webhooks,
]


@pytest.fixture(autouse=True)
def cold_start(monkeypatch: pytest.MonkeyPatch, dynamodb: Any, queues: Queues) -> Iterator[None]:
    urls = {
        "webhooks": queues.jobs.url,
        "jobs": queues.jobs.url,
        "results": queues.results.url,
        "dead_letter": queues.dead_letters.url,
    }
    budgets = {"unsplash": {"limit": 50, "seconds": 3600, "share": 25}}
    kinds = {
        "photo": {"module": "kinds.photo", "queue": queues.jobs.url},
        "broken": {"module": "kinds.not_importable", "queue": queues.jobs.url},
    }
    values = {
        "BUDGETS": json.dumps(budgets),
        "QUEUES": json.dumps({"photo": queues.jobs.url}),
        "KINDS": json.dumps(kinds),
        "KIND_MODULE": "kinds.photo",
        "KIND_TIMEOUT": "60",
        "SECRETS": '{"unsplash_access_key": "key"}',
        "QUEUE_URL": queues.jobs.url,
        "MAX_RECEIVES": "5",
        "RETRY_SECONDS": "10",
        "GRACE_SECONDS": "900",
        "WEBHOOKS": "true",
        "WEBHOOK_PRIVATE_HOSTS": "",
        "WEBHOOK_KEY": "webhook-key",
    }
    set_all(monkeypatch, values | {f"{name.upper()}_QUEUE_URL": url for name, url in urls.items()})
    set_all(
        monkeypatch, {"JOBS_TABLE": "jobs", "LEDGER_TABLE": "ledger", "CALLER_SALT": "salt", "AUTH": "none"}
    )
    metrics.clear_metrics()
    yield
    built = [factory.cache_info().misses for factory in FACTORIES]
    for factory in FACTORIES:
        factory.cache_clear()
    assert sum(built) == 1


def set_all(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def sqs_event(*bodies: str) -> dict[str, Any]:
    return {"Records": [make.sqs_record(body, f"m{number}") for number, body in enumerate(bodies)]}


def retry_ids(response: dict[str, Any]) -> set[str]:
    """Return the ids of the messages that must be redelivered."""
    assert list(response) == ["batchItemFailures"]
    return {failure["itemIdentifier"] for failure in response["batchItemFailures"]}


def test_create_job(queues: Queues, capsys: pytest.CaptureFixture[str]) -> None:
    bodies = ('{"query": "pasta"}', "{", '{"kind": "broken"}', None)
    events = [make.api_event("POST", body=body) for body in bodies]
    answers = [ParsedResponse.read(create_job.handler(event, CONTEXT)) for event in events]
    assert [answer.status for answer in answers] == [201, 400, 400, 201]
    assert [body["job_id"] for body in queues.jobs.bodies()] == [answers[0].body["id"], answers[3].body["id"]]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["JobsAccepted"] for line in lines if "_aws" in line] == [[1.0], [1.0]]


def test_change_job(store: JobStore) -> None:
    job = make.make_job()
    store.create(job)
    events = [make.api_event("DELETE", f"/jobs/{job.id}"), make.api_event("POST", f"/jobs/{job.id}/retry")]
    answers = [ParsedResponse.read(change_job.handler(event, CONTEXT)).body for event in events]
    assert [(answer["status"], answer["version"]) for answer in answers] == [("cancelled", 2), ("pending", 3)]


def test_job_watchdog(store: JobStore, queues: Queues) -> None:
    store.create(make.make_job(due_at=make.NOW))
    for _ in range(2):
        job_watchdog.handler({}, CONTEXT)
    assert len(queues.jobs.bodies()) == 1


def test_read_jobs(store: JobStore) -> None:
    job = make.make_job()
    store.create(job)
    for event in (make.api_event(), make.api_event(query={"status": "pending"})):
        assert ParsedResponse.read(read_jobs.handler(event, CONTEXT)).body["data"] == [job.public_view()]


def test_schedules() -> None:
    bodies = ('{"cron": "0 9 * * *"}', '{"cron": "0 9 * * *", "kind": "broken"}')
    events = [make.api_event("POST", "/schedules", body=body) for body in bodies]
    created, refused = (ParsedResponse.read(schedules_function.handler(event, CONTEXT)) for event in events)
    assert (created.status, refused.problem()) == (201, (400, "kind"))
    path = f"/schedules/{created.body['id']}"
    events = [make.api_event("GET", "/schedules"), make.api_event("DELETE", path)]
    answers = [ParsedResponse.read(schedules_function.handler(event, CONTEXT)) for event in events]
    assert [answer.body for answer in answers] == [{"data": [created.body]}, None]


@pytest.mark.parametrize("images", ["cdn", "hotlink"])
def test_job_worker(
    aws: boto3.Session,
    store: JobStore,
    queues: Queues,
    monkeypatch: pytest.MonkeyPatch,
    serve: Callable[[dict[str, Page]], str],
    images: str,
) -> None:
    def random_photos(handler: Any) -> None:
        assert handler.headers["Authorization"] == "Client-ID the-key"
        urls = dict.fromkeys(("small", "regular"), f"http://{host}/image")
        page(body=json.dumps([PHOTO | {"urls": urls}]).encode())(handler)

    host = serve({"/photos/random": random_photos, "/image": page(body=b"GIF89a;")})
    set_all(monkeypatch, {"UNSPLASH_API_URL": f"http://{host}", "IMAGE_HOSTS": host})
    if images == "cdn":
        set_all(monkeypatch, {"FILES_BUCKET": "calo", "FILES_BASE_URL": "https://cdn.test"})
    aws.client("s3").create_bucket(Bucket="calo")
    failing, *jobs = [make.make_job(), make.make_job(), make.make_job()]
    for job in (failing, *jobs):
        store.create(job)
    early, first, second = (
        sqs_event("no message", make.make_message(job).body()) for job in (failing, *jobs)
    )
    assert retry_ids(job_worker.handler(early, CONTEXT)) == {"m0", "m1"}  # for want of a key
    aws.client("secretsmanager").create_secret(Name="key", SecretString="the-key\n")
    assert [retry_ids(job_worker.handler(event, CONTEXT)) for event in (first, second)] == [{"m0"}, {"m0"}]
    shown = "https://cdn.test/images/photo/p1/regular" if images == "cdn" else f"http://{host}/image"
    results = [(body["job_id"], json.loads(body["output"])["regular"]) for body in queues.results.bodies()]
    assert results == [(job.id, shown) for job in jobs]


@pytest.mark.parametrize(
    ("module", "outcome", "status", "unreadable"),
    [(result_worker, make.make_result, "resolved", {"m0"}), (dlq_worker, make.make_failure, "error", set())],
)
def test_result_and_dlq_worker(
    store: JobStore, module: Any, outcome: Any, status: str, unreadable: set[str]
) -> None:
    for job in (make.make_job(), make.make_job()):
        store.create(job)
        assert retry_ids(module.handler(sqs_event("", outcome(job).body()), CONTEXT)) == unreadable
        assert make.stored(store, job).status == status


def test_webhooks_and_their_sender(
    aws: boto3.Session,
    store: JobStore,
    queues: Queues,
    monkeypatch: pytest.MonkeyPatch,
    serve: Callable[[dict[str, Page]], str],
) -> None:
    received: list[str] = []

    def receive(handler: Any) -> None:
        received.append(handler.headers["webhook-signature"])
        page(status=204)(handler)

    host = serve({"/hook": receive})
    set_all(monkeypatch, {"WEBHOOK_PRIVATE_HOSTS": host})
    aws.client("secretsmanager").create_secret(Name="webhook-key", SecretString="x" * 64)
    job = make.make_job(status="resolved", output=make.make_output(), notify=f"http://{host}/hook")
    store.create(job)
    secret = make.api_event("GET", "/webhooks/secret")
    again = make.api_event("POST", f"/jobs/{job.id}/deliveries")
    answers = [ParsedResponse.read(webhooks.handler(event, CONTEXT)) for event in (secret, again)]
    FACTORIES[-1].cache_clear()
    assert [answer.status for answer in answers] == [200, 202]
    (notice,) = [record["body"] for record in queues.jobs.records()]
    assert [retry_ids(webhook_sender.handler(sqs_event("", notice), CONTEXT)) for _ in range(2)] == [
        {"m0"}
    ] * 2
    assert len(received) == 1


def test_job_counter(ledger: Ledger) -> None:
    for expected in (1, 2):
        job_counter.handler({"Records": [make.stream_record(new=make.make_job())]}, CONTEXT)
        assert ledger.counts("public").by_status()["pending"] == expected
