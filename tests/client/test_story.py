"""A job's story from log groups and files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from calo.deployment import Deployment
from calo.story import current_state, parse_message, read_story
from functions.common.clock import now_ms

NOW = 1_760_000_000_000
JOB_ID = "00000000-0000-4000-8000-000000000001"
CORRELATION = "11111111-1111-4111-8111-111111111111"
JOB = {
    "id": JOB_ID, "kind": "photo", "input": '{"query":"food"}', "status": "pending",
    "version": 1, "run": 1, "attempts": 0,
    "created_at": NOW, "correlation_id": CORRELATION,
}  # fmt: skip
GROUPS = ("/calo/create", "/calo/worker", "/calo/flow", "/another")


def log_line(message: str, milliseconds: int, service: str = "job_worker", **fields: Any) -> str:
    """Return a line in the format of Powertools."""
    seconds, fraction = divmod(milliseconds, 1000)
    timestamp = f"2025-10-09 08:{53 + seconds // 60:02d}:{20 + seconds % 60:02d},{fraction:03d}+0000"
    return json.dumps({"message": message, "timestamp": timestamp, "service": service, **fields})


class Stacks:
    """CloudFormation's view of the stacks. CaloLive does not exist."""

    def get_paginator(self, _: str) -> "Stacks":
        return self

    def paginate(self, StackName: str) -> Iterator[dict[str, Any]]:
        if StackName == "CaloLive":
            client = boto3.client("cloudformation")
            raise client.exceptions.from_code("ValidationError")(
                {"Error": {"Code": "ValidationError"}}, "List"
            )
        own = {"CaloApi": ("CreateJobLogs", GROUPS[0]), "CaloJobs": ("JobWorkerLogs", GROUPS[1])}
        resources = [own[StackName], ("VpcFlowLogs", GROUPS[2])]
        kind = "AWS::Logs::LogGroup"
        summaries = [
            {"ResourceType": kind, "LogicalResourceId": name, "PhysicalResourceId": group}
            for name, group in resources
        ]
        yield {"StackResourceSummaries": [{**summaries[0], "ResourceType": "AWS::SQS::Queue"}, *summaries]}


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("logs")
        for group in GROUPS:
            client.create_log_group(logGroupName=group)
            client.create_log_stream(logGroupName=group, logStreamName="s")
        yield client


@pytest.fixture
def deployment(logs: Any, tmp_path: Path) -> Deployment:
    clients = {"logs": logs, "cloudformation": Stacks()}
    return Deployment("here", lambda service: clients[service], tmp_path)


def put(logs: Any, group: str, *messages: str) -> None:
    events = [{"timestamp": now_ms(), "message": message} for message in messages]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)


def test_a_story_is_in_chronological_order_from_all_components(
    deployment: Deployment, logs: Any, tmp_path: Path
) -> None:
    ids = {"job_id": JOB_ID, "correlation_id": CORRELATION}
    put(logs, GROUPS[1], log_line("job succeeded", 2500, **ids, attempt=1, version=1), "START RequestId: 1")
    put(
        logs,
        GROUPS[1],
        log_line("job succeeded", 2400, job_id="another"),
        json.dumps({"_aws": {}, "x": JOB_ID}),
    )
    put(logs, GROUPS[0], log_line("job accepted", 0, "create_job", **ids, version=1))
    put(
        logs, GROUPS[0], log_line("request answered", 0, "create_job", correlation_id=CORRELATION, status=201)
    )
    for group in GROUPS[2:]:
        put(logs, group, log_line("not of these stacks", 1, **ids))
    changes = [{"job_id": job, "version": number} for number, job in ((1, JOB_ID), (1, "x"), (2, JOB_ID))]
    received = log_line("changes received", 3000, "sse_relay", changes=changes)
    (tmp_path / "relay.log").write_text(f"no json\n{received}")
    (tmp_path / "another-relay.log").write_text("")
    assert [str(line) for line in read_story(deployment, JOB_ID, JOB)] == [
        "2025-10-09 08:53:20.000Z  create_job    job accepted version=1",
        "2025-10-09 08:53:20.000Z  create_job    request answered status=201",
        "2025-10-09 08:53:22.500Z  job_worker    job succeeded attempt=1 version=1",
        "2025-10-09 08:53:23.000Z  sse_relay     changes received version=1",
        "2025-10-09 08:53:23.000Z  sse_relay     changes received version=2",
    ]


def test_a_line_of_the_access_log_is_included_by_its_correlation_id() -> None:
    access = {"requestId": CORRELATION, "httpMethod": "POST", "resourcePath": "/jobs", "status": "201"}
    [line] = parse_message(json.dumps(access), NOW, JOB_ID)
    assert (line.at, line.service, line.text) == (NOW, "api_gateway", "POST /jobs 201")


@pytest.mark.parametrize("message", ["", "null", "[1]", "{}", "no json"])
def test_messages_without_structure_are_left_out(message: str) -> None:
    assert list(parse_message(message, NOW, JOB_ID)) == []


def test_reading_a_job_is_not_part_of_its_story() -> None:
    calls = [
        log_line("request answered", 0, method=method, path=f"/jobs/{JOB_ID}") for method in ("GET", "DELETE")
    ]
    assert [line.text for call in calls for line in parse_message(call, NOW, JOB_ID)] == [
        f"request answered method=DELETE path=/jobs/{JOB_ID}"
    ]


def test_a_deferral_is_shown_as_a_time_of_day() -> None:
    [line] = parse_message(log_line("job deferred", 0, deferred_until=NOW), NOW, JOB_ID)
    assert line.text == "job deferred deferred_until=08:53:20Z"


def test_the_current_state_is_one_line() -> None:
    error = {"code": "down", "message": "no answer", "attempts": 3}
    failed = {
        **JOB,
        "kind": "countdown",
        "input": "{}",
        "status": "error",
        "error": error,
        "version": 4,
        "run": 2,
    }
    assert (
        current_state(failed)
        == "error kind=countdown input={} version=4 run=2 attempts=3 code=down message=no answer"
    )
    waiting = {**JOB, "deferred_until": NOW}
    assert (
        current_state(waiting)
        == 'pending kind=photo input={"query":"food"} version=1 run=1 attempts=0 deferred_until=08:53:20Z'
    )
