"""The story of one job: what every function logged about it, in the order of time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from functions.common.job import Job
from operations.place import Place

EARLIER_MS = 60_000
"""Clocks differ, and the call that made a job began before it."""
SHOWN = (
    "method", "path", "query", "attempt", "code", "reason", "retry_in", "deferred_until", "rescue",
    "outcome", "status", "version",
)  # fmt: skip
"""Fields that a person wants to see, in this order."""
RELAY_LOGS = "*relay.log"
"""Of the local run; in AWS the relay has a log group."""


@dataclass(frozen=True)
class Line:
    """One line of the story. `at` is epoch ms."""

    at: int
    service: str
    text: str

    def __str__(self) -> str:
        moment = datetime.fromtimestamp(self.at / 1000, UTC)
        return f"{moment:%Y-%m-%d %H:%M:%S}.{self.at % 1000:03d}  {self.service:14}{self.text}"


def story(place: Place, job_id: str, job: Job | None) -> list[Line]:
    """All lines about a job. `job` is what the table has, which says since when to look, and by which
    correlation id the lines that do not name the job are found. Raises botocore's errors."""
    terms = [job_id, *([job.correlation_id] if job and job.correlation_id else [])]
    since = job.created_at - EARLIER_MS if job else None
    lines: dict[Line, None] = {}  # each once, in the order in which a function wrote them
    for at, message in _messages(place, terms, since):
        lines |= dict.fromkeys(lines_of(message, at, job_id))
    return sorted(lines, key=lambda line: line.at)


def _messages(place: Place, terms: list[str], since: int | None) -> Iterator[tuple[int, str]]:
    """What was logged with one of the terms in it, and when it was taken in (epoch ms)."""
    pages = place.client("logs").get_paginator("filter_log_events")
    start = {} if since is None else {"startTime": since}
    for group in place.log_groups():
        for term in terms:
            for page in pages.paginate(logGroupName=group, filterPattern=f'"{term}"', **start):
                yield from ((event["timestamp"], event["message"]) for event in page["events"])
    yield from ((0, line) for line in _file_lines(place.log_folder, terms))


def _file_lines(folder: Path | None, terms: list[str]) -> Iterator[str]:
    for path in sorted(folder.glob(RELAY_LOGS)) if folder else ():
        for line in path.read_text(errors="replace").splitlines():
            if any(term in line for term in terms):
                yield line


def lines_of(message: str, at: int, job_id: str) -> Iterator[Line]:
    """A log line as lines of the job's story: several of the relay's, which tells of many changes in one;
    none if it is no structured line, or of a mere look at the job."""
    try:
        values = json.loads(message)
    except ValueError:
        return
    if not isinstance(values, dict) or values.get("method") == "GET":  # reading a job changes nothing
        return
    if "message" in values:
        service, moment = str(values.get("service", "?")), _moment(values, at)
        for change in [one for one in values.get("changes", ()) if one.get("job_id") == job_id] or [{}]:
            text = " ".join([str(values["message"]), *_details({**values, **change})])
            yield Line(moment, service, text)
    elif "requestId" in values:  # API Gateway's own, in the form of `json_with_standard_fields`
        names = ("httpMethod", "resourcePath", "status")
        yield Line(at, "api_gateway", " ".join(str(values.get(name, "")) for name in names))


def _moment(values: dict[str, Any], otherwise: int) -> int:
    """When the line was written, which is told to the millisecond; CloudWatch's time may be later."""
    try:
        moment = datetime.strptime(str(values["timestamp"]), "%Y-%m-%d %H:%M:%S,%f%z")
    except (KeyError, ValueError):
        return otherwise
    return round(moment.timestamp() * 1000)


def _details(values: dict[str, Any]) -> Iterator[str]:
    for name in SHOWN:
        if name in values:
            value = values[name]
            yield f"{name}={_clock(value) if name == 'deferred_until' else value}"


def _clock(milliseconds: Any) -> str:
    return f"{datetime.fromtimestamp(int(milliseconds) / 1000, UTC):%H:%M:%S}"


def ending_of(job: Job) -> str:
    """The job's present state in one line."""
    details = {"query": job.query, "version": job.version, "run": job.run, "attempts": job.attempts}
    if job.status == "pending" and job.deferred_until:
        details["deferred_until"] = _clock(job.deferred_until)
    if job.error:
        error = job.error
        details |= {"attempts": error["attempts"], "code": error["code"], "message": error["message"]}
    if job.result:
        details["result"] = job.result
    return " ".join([job.status, *(f"{name}={value}" for name, value in details.items())])
