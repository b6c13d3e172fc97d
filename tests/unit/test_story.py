"""A job's story out of log groups and files, and the commands around it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from functions.common.clock import now_ms
from local.emulator import Emulator
from local.run_file import LocalRun, announced, find
from operations.__main__ import main
from operations.place import NotThere, Place, place_of
from operations.story import ending_of, lines_of, story
from tests.unit.factories import CORRELATION, NOW, make_job

JOB = make_job()
GROUPS = ("/calo/create", "/calo/worker", "/calo/flow", "/another")


def line(message: str, milliseconds: int, service: str = "job_worker", **fields: Any) -> str:
    """As Powertools writes it."""
    seconds, rest = divmod(milliseconds, 1000)
    timestamp = f"2025-10-09 08:{53 + seconds // 60:02d}:{20 + seconds % 60:02d},{rest:03d}+0000"
    return json.dumps({"message": message, "timestamp": timestamp, "service": service, **fields})


class Stacks:
    """CloudFormation's answers about our stacks; CaloLive is missing."""

    def get_paginator(self, _: str) -> "Stacks":
        return self

    def paginate(self, StackName: str) -> Iterator[dict[str, Any]]:
        if StackName == "CaloLive":
            client = boto3.client("cloudformation")
            raise client.exceptions.from_code("ValidationError")(
                {"Error": {"Code": "ValidationError"}}, "List"
            )
        own = {"CaloApi": ("CreateJobLogs", GROUPS[0]), "CaloJobs": ("JobWorkerLogs", GROUPS[1])}
        logical, group = own[StackName]
        resources = [(logical, group), ("VpcFlowLogs", GROUPS[2])]
        kind = "AWS::Logs::LogGroup"
        summaries = [
            {"ResourceType": kind, "LogicalResourceId": name, "PhysicalResourceId": place}
            for name, place in resources
        ]
        yield {"StackResourceSummaries": [{**summaries[0], "ResourceType": "AWS::SQS::Queue"}, *summaries]}


@pytest.fixture
def logs(aws: boto3.Session) -> Any:
    client = aws.client("logs")
    for group in GROUPS:
        client.create_log_group(logGroupName=group)
        client.create_log_stream(logGroupName=group, logStreamName="s")
    return client


@pytest.fixture
def place(logs: Any, tmp_path: Path) -> Place:
    return Place("here", lambda service: {"logs": logs, "cloudformation": Stacks()}[service], tmp_path)


def put(logs: Any, group: str, *messages: str) -> None:
    events = [{"timestamp": now_ms(), "message": message} for message in messages]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)


def test_a_story_is_told_in_the_order_of_time_from_all_its_places(
    place: Place, logs: Any, tmp_path: Path
) -> None:
    named = {"job_id": JOB.id, "correlation_id": CORRELATION}
    put(logs, GROUPS[1], line("job worked", 2500, **named, attempt=1, version=1), "START RequestId: 1")
    put(logs, GROUPS[1], line("job worked", 2400, job_id="another"), json.dumps({"_aws": {}, "x": JOB.id}))
    put(logs, GROUPS[0], line("job accepted", 0, "create_job", **named, version=1))
    put(logs, GROUPS[0], line("answered", 0, "create_job", correlation_id=CORRELATION, status=201))
    for group in GROUPS[2:]:
        put(logs, group, line("of no interest", 1, **named))
    changes = [{"job_id": one, "version": number} for number, one in ((1, JOB.id), (1, "x"), (2, JOB.id))]
    (tmp_path / "relay.log").write_text(
        "no json\n" + line("changes received", 3000, "sse_relay", changes=changes)
    )
    (tmp_path / "another-relay.log").write_text("")
    told = [str(one) for one in story(place, JOB.id, JOB)]
    assert told == [
        "2025-10-09 08:53:20.000  create_job    job accepted version=1",
        "2025-10-09 08:53:20.000  create_job    answered status=201",
        "2025-10-09 08:53:22.500  job_worker    job worked attempt=1 version=1",
        "2025-10-09 08:53:23.000  sse_relay     changes received version=1",
        "2025-10-09 08:53:23.000  sse_relay     changes received version=2",
    ]


def test_api_gateways_own_line_joins_in_by_the_correlation_id() -> None:
    access = {"requestId": CORRELATION, "httpMethod": "POST", "resourcePath": "/jobs", "status": "201"}
    [one] = lines_of(json.dumps(access), NOW, JOB.id)
    assert (one.at, one.service, one.text) == (NOW, "api_gateway", "POST /jobs 201")


@pytest.mark.parametrize("message", ["", "null", "[1]", "{}", "no json"])
def test_what_is_no_structured_line_is_left_out(message: str) -> None:
    assert list(lines_of(message, NOW, JOB.id)) == []


def test_looking_at_a_job_is_no_part_of_its_story() -> None:
    calls = [line("answered", 0, method=method, path=f"/jobs/{JOB.id}") for method in ("GET", "DELETE")]
    assert [one.text for call in calls for one in lines_of(call, NOW, JOB.id)] == [
        f"answered method=DELETE path=/jobs/{JOB.id}"
    ]


def test_a_deferral_is_told_as_a_time_of_day() -> None:
    [one] = lines_of(line("waits", 0, deferred_until=NOW), NOW, JOB.id)
    assert one.text == "waits deferred_until=08:53:20"


def test_the_present_state_is_told_in_one_line() -> None:
    error = {"code": "down", "message": "no answer", "attempts": 3}
    failed = make_job(query="soup", status="error", error=error, version=4, run=2)
    assert ending_of(failed) == "error query=soup version=4 run=2 attempts=3 code=down message=no answer"
    waiting = make_job(deferred_until=NOW)
    assert ending_of(waiting) == "pending query=food version=1 run=1 attempts=0 deferred_until=08:53:20"


def test_a_local_run_is_found_while_it_is_up_and_only_then(tmp_path: Path) -> None:
    run = LocalRun("http://localhost:1", Emulator("http://127.0.0.1:2", "a", "b", "eu-west-1"), tmp_path)
    with announced(run):
        assert find(tmp_path) == run
        assert (tmp_path / "run.json").stat().st_mode & 0o077 == 0
    assert find(tmp_path) is None


def test_a_run_that_was_killed_is_not_up(tmp_path: Path) -> None:
    child = os.spawnvp(os.P_NOWAIT, "true", ["true"])
    os.waitpid(child, 0)
    state = {"pid": child, "url": "u", "emulator": {"endpoint": "e"}}
    (tmp_path / "run.json").write_text(json.dumps(state))
    assert find(tmp_path) is None


def test_the_local_run_is_taken_if_it_is_up_and_aws_for_changes_only_if_said(
    tmp_path: Path, aws: Any
) -> None:
    with announced(LocalRun("http://localhost:1", Emulator("http://127.0.0.1:2"), tmp_path)):
        for where in (None, "local"):
            assert place_of(where, tmp_path, changes=True).name == "the local run at http://localhost:1"
        assert place_of("aws", tmp_path, changes=True).name.startswith("AWS account")
    assert place_of(None, tmp_path, changes=False).name == "AWS account 123456789012, us-east-1"
    with pytest.raises(NotThere, match="make run"):
        place_of("local", tmp_path, changes=False)
    with pytest.raises(NotThere, match="WHERE=aws"):
        place_of(None, tmp_path, changes=True)


@pytest.mark.parametrize(
    "arguments", [["logs", "12"], ["redrive", "--limit", "0"], ["redrive", "--rate", "x"]]
)
def test_a_wrong_argument_is_named(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "must be" in capsys.readouterr().err


def test_a_command_without_a_deployment_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["redrive"], tmp_path) == 2
    assert "WHERE=aws" in capsys.readouterr().err
