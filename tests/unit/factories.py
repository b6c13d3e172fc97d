"""Create jobs, messages, records and events from the few values that matter to a test."""

import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import msgspec

from functions.common.caller import caller_digest
from functions.common.errors import Problem
from functions.common.job import PUBLIC_OWNER, Job, to_json
from functions.common.messages import FailureMessage, JobMessage, ResultMessage, job_message, message_fields
from functions.common.schedule import Schedule
from functions.common.store import JobStore
from functions.create_job.create_job import Caller, JobIntake
from functions.create_job.job_request import JobEntry, JobRequest
from kinds.photo import Photo

NOW = 1_760_000_000_000
"""The time at the start of every test (epoch ms)."""

CORRELATION = "request-1"
"""API Gateway's id of the call that created a job."""

ADDRESS = "192.0.2.1"
SALT = "salt"
CALLER = caller_digest(ADDRESS, SALT)
"""To whom a job is charged."""
CREATOR = Caller(PUBLIC_OWNER, ADDRESS)
"""Who created a job."""

CONTEXT = SimpleNamespace(
    function_name="calo",
    memory_limit_in_mb=128,
    invoked_function_arn="arn",
    aws_request_id="r1",
    get_remaining_time_in_millis=lambda: 60_000,
)
"""The context that Lambda passes to a handler."""

LITERAL_ROUTES = ("/jobs/bulk", "/jobs/retry", "/jobs/cancel")
"""API Gateway prefers them to those with an id."""

POISON = ["", "{}", "[]", "[" * 100_000, '{"job_id": "", "owner": "public", "kind": "photo", "run": 1}']
"""Message bodies without a job."""


def make_job(**values: Any) -> Job:
    """Return a job that is due, unless it has ended."""
    times: dict[str, int] = {"created_at": NOW, "updated_at": NOW}
    if values.get("status", "pending") == "pending":
        due_at = values.get("due_at", NOW)
        times |= {"due_at": due_at, "wake_at": due_at}
    else:
        times["expires_at"] = NOW // 1000 + 3600
    fixed = {"input": {"query": values.pop("query", "food")}, "correlation_id": CORRELATION, "caller": CALLER}
    return Job(**{"id": str(uuid4()), **fixed, **times, **values})


def create_one(
    intake: JobIntake, *, key: str | None = None, correlation_id: str = "", **job_input: Any
) -> Job:
    """Create a photo job. Raises its problem."""
    entry = JobEntry(JobRequest("photo", job_input), key)
    [job] = intake.create_jobs([entry], correlation_id, CREATOR)
    if isinstance(job, Problem):
        raise job
    return job


def make_schedule(**values: Any) -> Schedule:
    """Return a schedule that is due, unless it is paused."""
    fixed = {"kind": "photo", "input": {"query": "food"}, "cron": "0 9 * * *", "timezone": "UTC"}
    times = {"created_at": NOW, "updated_at": NOW} | ({} if values.get("paused") else {"wake_at": NOW})
    return Schedule(
        **{"id": str(uuid4()), "owner": PUBLIC_OWNER, "caller": CALLER, **fixed, **times, **values}
    )


def stored(store: JobStore, job: Job) -> Job:
    """Return the job as it is in the table now."""
    current = store.get(job.id)
    assert current
    return current


def make_message(job: Job) -> JobMessage:
    return job_message(job)


def make_result(job: Job, **photo: Any) -> ResultMessage:
    return ResultMessage(**message_fields(job), output=to_json(make_output(**photo)))


def make_failure(job: Job, *, code: str = "c", message: str = "m", attempts: int = 1) -> FailureMessage:
    reason: Any = {"code": code, "message": message, "attempts": attempts}
    return FailureMessage(**message_fields(job), **reason)


def make_output(**values: Any) -> dict[str, Any]:
    """Return the output of a photo job: a photo in the contract's form."""
    credit = "utm_source=calo&utm_medium=referral"
    photo = {
        "id": "p1",
        "width": 300,
        "height": 200,
        "color": "#aabbcc",
        "blur_hash": None,
        "alt": "a plate",
        "small": "https://images.test/small",
        "regular": "https://images.test/regular",
        "photographer": {"name": "Ann", "url": f"https://unsplash.com/@ann?{credit}"},
        "page": f"https://unsplash.com/photos/p1?{credit}",
    }
    return {**photo, **values}


def make_photo(**values: Any) -> Photo:
    """Return the same as the kind's output."""
    return msgspec.convert(make_output(**values), Photo)


def sqs_record(body: str, message_id: str = "m1") -> dict[str, Any]:
    return {"messageId": message_id, "receiptHandle": f"r-{message_id}", "body": body}


def stream_record(*, new: Job | None = None, old: Job | None = None) -> dict[str, Any]:
    images = {name: job.to_item() for name, job in (("NewImage", new), ("OldImage", old)) if job}
    return {"dynamodb": {"Keys": {"id": next(iter(images.values()))["id"]}, **images}}


def api_event(
    method: str = "GET",
    path: str = "/jobs",
    *,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    body: str | None = None,
) -> dict[str, Any]:
    """Return a REST proxy event. Like API Gateway's, it has null for missing values."""
    sent = {"headers": headers, "queryStringParameters": query, "body": body, "isBase64Encoded": False}
    _, first, *rest = path.split("/", 3)
    has_id = bool(rest) and first in ("jobs", "schedules") and path not in LITERAL_ROUTES
    resource = "/".join(["", first, "{id}", *rest[1:]]) if has_id else path
    routed = {"resource": resource, "pathParameters": {"id": rest[0]} if has_id else None}
    return {
        "httpMethod": method,
        "path": path,
        "requestContext": {"stage": "api", "requestId": CORRELATION, "identity": {"sourceIp": ADDRESS}},
        **routed,
        **sent,
    }


@dataclass(frozen=True)
class ParsedResponse:
    """A handler's response to API Gateway, with its body parsed."""

    status: int
    headers: dict[str, str]
    body: Any

    @classmethod
    def read(cls, result: dict[str, Any]) -> "ParsedResponse":
        body = result["body"].encode()
        return cls(result["statusCode"], result["headers"], json.loads(body) if body else None)

    def problem(self) -> tuple[int, str]:
        """Return the status and the field of a well-formed problem that names one field."""
        assert self.headers["Content-Type"] == "application/problem+json"
        assert (self.body["type"], self.body["status"]) == ("about:blank", self.status)
        [error] = self.body["errors"]
        assert all([self.body["title"], self.body["detail"], error["message"]])
        return self.status, error["field"]
