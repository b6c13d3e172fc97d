"""What travels on the queues: JSON bodies, read back with every field checked."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from functions.common.errors import Poison
from functions.common.job import Job

T = TypeVar("T", bound="JobMessage")


@dataclass(frozen=True, kw_only=True)
class JobMessage:
    """Work on run `run` of a job. Everything else about the job is read from the table.

    `correlation_id` is for the logs only: it is never a reason to refuse a message, and older versions
    sent none.
    """

    job_id: str
    owner: str
    run: int
    correlation_id: str = ""

    def body(self) -> str:
        """ASCII only, since SQS refuses some of Unicode's characters:
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
        """
        return json.dumps(asdict(self), separators=(",", ":"))


def message_of(job: Job) -> JobMessage:
    """The message that asks for a job's work."""
    return JobMessage(job_id=job.id, owner=job.owner, run=job.run, correlation_id=job.correlation_id)


def about(message: JobMessage, **more: object) -> dict[str, object]:
    """The fields of a log line about a job, by which its story is found."""
    named = {"job_id": message.job_id, "correlation_id": message.correlation_id, "run": message.run}
    return {**named, **more}


@dataclass(frozen=True, kw_only=True)
class ResultMessage(JobMessage):
    """The work succeeded: the image's URL and the contract's photo object."""

    result: str
    photo: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class FailureMessage(JobMessage):
    """The work failed for good: the contract's error object, field by field."""

    code: str
    message: str
    attempts: int


UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OWNER_FORM = re.compile(r"[\w@.:-]{1,128}")
CORRELATION_FORM = re.compile(r"[\w-]{1,128}", re.ASCII)
FIELD_TYPES: dict[str, type] = {
    "job_id": str, "owner": str, "run": int, "correlation_id": str,
    "result": str, "photo": dict,
    "code": str, "message": str, "attempts": int,
}  # fmt: skip


def parse(kind: type[T], body: str) -> T:
    """Read a message's body; fields that `kind` does not have are ignored.

    Raises Poison if the body is no JSON object or lacks a field of the right type.
    """
    try:
        values = json.loads(body, parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError) as error:
        raise Poison(f"no JSON that is known here: {error}") from error
    if not isinstance(values, dict):
        raise Poison("no JSON object")
    wanted: dict[str, Any] = {name: values.get(name) for name in kind.__dataclass_fields__}
    wanted["correlation_id"] = _correlation_id(wanted["correlation_id"])
    for name, value in wanted.items():
        if type(value) is not FIELD_TYPES[name]:
            raise Poison(f"{name} is missing or no {FIELD_TYPES[name].__name__}")
    if not UUID_FORM.fullmatch(wanted["job_id"]) or not OWNER_FORM.fullmatch(wanted["owner"]):
        raise Poison("job_id or owner is malformed")
    return kind(**wanted)


def _correlation_id(value: object) -> str:
    return value if isinstance(value, str) and CORRELATION_FORM.fullmatch(value) else ""


def _no_float(text: str) -> float:
    raise ValueError(f"{text} is no whole number")
