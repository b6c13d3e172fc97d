"""The story of a job: what every component logged about it, in chronological order."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from calo.deployment import Deployment

MARGIN_MS = 60_000
"""How long before a job's creation the search starts: clocks differ, and its request began earlier."""
DETAILS = (
    "method", "path", "kind", "label", "attempt", "code", "reason", "retry_in", "deferred_until", "rescue",
    "outcome", "status", "version", "host", "answer",
)  # fmt: skip
"""The log fields that are printed, in this order."""
RELAY_LOGS = "*relay.log"
"""The relay's logs in a local run. In AWS it has a log group."""

JobItem = dict[str, Any]
"""A job as stored in the table, in plain values."""


@dataclass(frozen=True)
class Line:
    """A line of the story. `at` is in epoch ms."""

    at: int
    service: str
    text: str

    def __str__(self) -> str:
        time = datetime.fromtimestamp(self.at / 1000, timezone.utc)
        return f"{time:%Y-%m-%d %H:%M:%S}.{self.at % 1000:03d}Z  {self.service:14}{self.text}"


def read_job(deployment: Deployment, job_id: str) -> JobItem | None:
    """Return the job's item, or None if it does not exist. Raises CommandError and botocore's errors."""
    from boto3.dynamodb.types import TypeDeserializer

    table = deployment.output("CaloJobs", "JobsTable")
    response = deployment.client("dynamodb").get_item(
        TableName=table, Key={"id": {"S": job_id}}, ConsistentRead=True
    )
    deserialize = TypeDeserializer().deserialize
    item = response.get("Item")
    return {name: deserialize(value) for name, value in item.items()} if item else None


def read_story(deployment: Deployment, job_id: str, job: JobItem | None) -> list[Line]:
    """Return all lines about a job. Raises botocore's errors.

    `job` determines where the search starts, and has the correlation id of lines without the job's id.
    """
    terms = [job_id, *([job["correlation_id"]] if job and job.get("correlation_id") else [])]
    since = int(job["created_at"]) - MARGIN_MS if job else None
    lines: dict[Line, None] = {}  # without duplicates, in the order in which each function logged them
    for at, message in _messages(deployment, terms, since):
        lines |= dict.fromkeys(parse_message(message, at, job_id))
    return sorted(lines, key=lambda line: line.at)


def _messages(deployment: Deployment, terms: list[str], since: int | None) -> Iterator[tuple[int, str]]:
    """Yield log messages that contain one of the terms, with their time of ingestion (epoch ms)."""
    pages = deployment.client("logs").get_paginator("filter_log_events")
    start = {} if since is None else {"startTime": since}
    for group in deployment.log_groups():
        for term in terms:
            for page in pages.paginate(logGroupName=group, filterPattern=f'"{term}"', **start):
                yield from ((event["timestamp"], event["message"]) for event in page["events"])
    yield from ((0, line) for line in _file_lines(deployment.log_folder, terms))


def _file_lines(folder: Path | None, terms: list[str]) -> Iterator[str]:
    for path in sorted(folder.glob(RELAY_LOGS)) if folder else ():
        for line in path.read_text(errors="replace").splitlines():
            if any(term in line for term in terms):
                yield line


def parse_message(message: str, at: int, job_id: str) -> Iterator[Line]:
    """Yield a log message as lines of the story.

    The relay logs several changes in one message. Messages that are not structured, or only read the job,
    have no line.
    """
    try:
        values = json.loads(message)
    except ValueError:
        return
    if not isinstance(values, dict) or values.get("method") == "GET":
        return
    if "message" in values:
        service, time = str(values.get("service", "?")), _time(values, at)
        for change in [change for change in values.get("changes", ()) if change.get("job_id") == job_id] or [
            {}
        ]:
            text = " ".join([str(values["message"]), *_details({**values, **change})])
            yield Line(time, service, text)
    elif "requestId" in values:  # API Gateway's access log
        names = ("httpMethod", "resourcePath", "status")
        yield Line(at, "api_gateway", " ".join(str(values.get(name, "")) for name in names))


def _time(values: dict[str, Any], default: int) -> int:
    """Return when the message was logged (epoch ms). CloudWatch's own time may be later."""
    try:
        time = datetime.strptime(str(values["timestamp"]), "%Y-%m-%d %H:%M:%S,%f%z")
    except (KeyError, ValueError):
        return default
    return round(time.timestamp() * 1000)


def _details(values: dict[str, Any]) -> Iterator[str]:
    for name in DETAILS:
        if name in values:
            value = values[name]
            yield f"{name}={_time_of_day(value) if name == 'deferred_until' else value}"


def _time_of_day(milliseconds: Any) -> str:
    return f"{datetime.fromtimestamp(int(milliseconds) / 1000, timezone.utc):%H:%M:%S}Z"


def current_state(job: JobItem) -> str:
    """Return the job's current state in one line."""
    details = {name: job[name] for name in ("kind", "input", "version", "run", "attempts")}
    if job["status"] == "pending" and job.get("deferred_until"):
        details["deferred_until"] = _time_of_day(job["deferred_until"])
    if job.get("error"):
        details |= {name: job["error"][name] for name in ("attempts", "code", "message")}
    if job.get("output"):
        details["output"] = job["output"]
    return " ".join([job["status"], *(f"{name}={value}" for name, value in details.items())])
