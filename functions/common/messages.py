"""The messages on the queues: JSON bodies. Every field is checked when a body is parsed."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from functions.common.decode import conforms, type_hints
from functions.common.errors import Poison
from functions.common.job import Job, JobError, parse_object
from functions.common.names import NAME

T = TypeVar("T", bound="JobMessage")


@dataclass(frozen=True, kw_only=True)
class JobMessage:
    """A request to work on run `run` of a job. Everything else about the job is read from the table.

    `correlation_id` is for logs only. A message without a valid one is accepted, because older versions
    sent none.
    """

    job_id: str
    owner: str
    kind: str
    run: int
    correlation_id: str = ""

    def body(self) -> str:
        """Return the JSON body. It is ASCII only, because SQS refuses some Unicode characters:
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
        """
        return json.dumps(asdict(self), separators=(",", ":"))


def job_message(job: Job) -> JobMessage:
    """Return the message that asks a worker to process a job."""
    return JobMessage(**message_fields(job))


def message_fields(job: Job) -> dict[str, Any]:
    """Return the fields that every message about a job has."""
    return {
        "job_id": job.id,
        "owner": job.owner,
        "kind": job.kind,
        "run": job.run,
        "correlation_id": job.correlation_id,
    }


def log_fields(message: JobMessage, **extra: object) -> dict[str, object]:
    """Return the fields of a log line about a job. `calo logs` finds the line by them."""
    fields = {"job_id": message.job_id, "correlation_id": message.correlation_id}
    return {**fields, "kind": message.kind, "run": message.run, **extra}


@dataclass(frozen=True, kw_only=True)
class ResultMessage(JobMessage):
    """A job succeeded. `output` is an object as JSON. `started_at` is when its attempt began (epoch ms)."""

    output: str
    started_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class FailureMessage(JobMessage):
    """A job failed permanently. The fields are those of the error object of the API's contract."""

    code: str
    message: str
    attempts: int
    started_at: int | None = None

    def error(self) -> JobError:
        """Return the error object."""
        return JobError(code=self.code, message=self.message, attempts=self.attempts)


PATTERNS = {
    "job_id": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "owner": re.compile(r"[\w@.:-]{1,128}"),
    "kind": NAME,
}
CORRELATION_ID_PATTERN = re.compile(r"[\w-]{1,128}", re.ASCII)


def parse(kind: type[T], body: str) -> T:
    """Parse the body of a message. Fields that `kind` does not have are ignored.

    Raises Poison if the body is not a JSON object, or lacks a field of the right type.
    """
    try:
        values = json.loads(body, parse_float=_refuse_float, parse_constant=_refuse_float)
    except (ValueError, RecursionError) as error:
        raise Poison(f"the body is not valid JSON: {error}") from error
    if not isinstance(values, dict):
        raise Poison("the body is not a JSON object")
    fields: dict[str, Any] = {name: values.get(name) for name in kind.__dataclass_fields__}
    fields["correlation_id"] = _valid_correlation_id(fields["correlation_id"])
    for name, hint in type_hints(kind).items():
        if not conforms(fields[name], hint):
            raise Poison(f"{name} is missing or not a valid {getattr(hint, '__name__', hint)}")
    for name, pattern in PATTERNS.items():
        if not pattern.fullmatch(fields[name]):
            raise Poison(f"{name} is malformed")
    if "output" in fields:
        _check_object(fields["output"])
    return kind(**fields)


def _check_object(text: str) -> None:
    try:
        parse_object(text)
    except (ValueError, RecursionError) as error:
        raise Poison(f"the output is not valid: {error}") from error


def _valid_correlation_id(value: object) -> str:
    return value if isinstance(value, str) and CORRELATION_ID_PATTERN.fullmatch(value) else ""


def _refuse_float(text: str) -> float:
    raise ValueError(f"{text} is not a whole number")
