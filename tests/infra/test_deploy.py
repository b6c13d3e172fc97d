"""What `make deploy` runs, and what it says at its end."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra import deploy
from infra.deploy import left_over, next_steps
from infra.preflight.finding import ok, stop
from infra.settings import Settings

OUTPUTS = {
    "CaloApi": {"ApiUrl": "https://x.execute-api.eu-west-1.amazonaws.com/api/"},
    "CaloJobs": {"UnsplashSecret": "arn:secret"},
}


def cloudformation(*stacks: str) -> Any:
    pages = [{"Stacks": [{"StackName": name}]} for name in stacks]
    return SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=lambda: pages))


def test_it_names_the_api_and_the_secret_to_fill() -> None:
    told = next_steps({**OUTPUTS, "CaloLive": {}})
    assert "https://x.execute-api.eu-west-1.amazonaws.com/api\n" in told
    assert "put-secret-value --secret-id 'arn:secret'" in told
    assert "curl -N https://x.execute-api.eu-west-1.amazonaws.com/api/live" in told


def test_without_the_relay_it_names_no_stream() -> None:
    assert "/live" not in next_steps(OUTPUTS)


def test_it_names_the_web_app_where_there_is_one() -> None:
    told = next_steps({**OUTPUTS, "CaloWeb": {"SiteUrl": "https://d1.cloudfront.net"}})
    assert "The web app is at https://d1.cloudfront.net\nThe API is at" in told
    assert "web app" not in next_steps(OUTPUTS)


def test_a_stack_that_the_settings_leave_out_but_is_deployed_is_told_with_its_removal() -> None:
    deployed = cloudformation("CaloJobs", "CaloApi", "CaloLive", "CaloWeb", "Other")
    assert left_over(Settings(), deployed) == ""
    assert left_over(Settings(ops=False), deployed) == ""
    told = left_over(Settings(live=False, web=False), deployed)
    assert [line.split() for line in told.splitlines() if line.startswith("  ")] == [
        ["aws", "cloudformation", *words, "--stack-name", stack]
        for stack in ("CaloWeb", "CaloLive")
        for words in (["delete-stack"], ["wait", "stack-delete-complete"])
    ]


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(deploy, "BUILD", tmp_path)
    monkeypatch.setattr(deploy, "OUTPUTS", tmp_path / "outputs.json")
    return tmp_path / "outputs.json"


def test_arguments_are_passed_on_and_the_exit_status_is_cdks(
    outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[list[str]] = []

    def run(status: int) -> Any:
        def cdk(command: list[str]) -> int:
            commands.append(command)
            outputs.write_text(json.dumps(OUTPUTS))
            return status

        return cdk

    arguments = ["-c", "live=false"]
    settings = Settings(live=False)
    assert deploy.deploy(arguments, settings, run(3), lambda _: cloudformation()) == 3
    assert capsys.readouterr().out == ""
    assert deploy.deploy(arguments, settings, run(0), lambda _: cloudformation("CaloLive")) == 0
    assert commands[0][:2] == ["deploy", "--all"]
    assert commands[0][-2:] == arguments
    shown = capsys.readouterr().out
    assert shown.index("The API is at") < shown.index("delete-stack --stack-name CaloLive")


def test_stacks_that_may_not_be_listed_do_not_fail_a_deployment(
    outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def denied(_: str) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeStacks")

    def cdk(_: Any) -> int:
        outputs.write_text(json.dumps(OUTPUTS))
        return 0

    assert deploy.deploy([], Settings(), cdk, denied) == 0
    shown = capsys.readouterr().out
    assert "The API is at" in shown
    assert "AccessDenied" in shown.splitlines()[-1]


def test_outputs_of_an_earlier_deployment_are_not_shown(
    outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs.write_text(json.dumps(OUTPUTS))
    assert deploy.deploy(["--no-execute"], Settings(), lambda _: 0, lambda _: cloudformation()) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("mark", ["ok", "stop"])
def test_nothing_is_deployed_when_a_check_says_stop(
    mark: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checked = {"ok": ok, "stop": stop}[mark]("credentials", "log in")
    monkeypatch.setattr(deploy, "preflight", lambda *_: iter([checked]))
    monkeypatch.setattr(deploy, "deploy", lambda *_: 0)
    assert deploy.main([]) == (0 if mark == "ok" else 1)
    assert ("Nothing was deployed" in capsys.readouterr().err) == (mark == "stop")


def test_a_wrong_setting_is_one_line_and_nothing_is_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(deploy, "preflight", None)
    assert deploy.main(["-c", "rate_limit=abc"]) == 1
    assert capsys.readouterr().err == "setting rate_limit must be a whole number\n"
