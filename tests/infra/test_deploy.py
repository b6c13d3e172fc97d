"""What `make deploy` runs, and what it prints at its end."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.settings import Settings
from infra.tools import deploy
from infra.tools.deploy import next_steps, removal_of_leftovers

OUTPUTS = {
    "CaloApi": {"ApiUrl": "https://x.execute-api.eu-west-1.amazonaws.com/api/"},
    "CaloJobs": {"UnsplashSecret": "arn:secret"},
}


def cloudformation(*stacks: str, status: str = "UPDATE_COMPLETE") -> Any:
    pages = [{"Stacks": [{"StackName": name, "StackStatus": status}]} for name in stacks]
    return SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=lambda: pages))


def test_it_names_the_api_and_the_secret_to_fill() -> None:
    text = next_steps({**OUTPUTS, "CaloLive": {}}, " --profile work")
    assert "https://x.execute-api.eu-west-1.amazonaws.com/api\n" in text
    assert (
        "put-secret-value --secret-id 'arn:secret' --secret-string YOUR_ACCESS_KEY --profile work\n" in text
    )
    assert "curl -N https://x.execute-api.eu-west-1.amazonaws.com/api/live" in text


def test_without_the_relay_it_names_no_stream() -> None:
    assert "/live" not in next_steps(OUTPUTS)


def test_it_names_the_web_app_where_there_is_one() -> None:
    text = next_steps({**OUTPUTS, "CaloWeb": {"SiteUrl": "https://d1.cloudfront.net"}})
    assert "The web app is at https://d1.cloudfront.net\nThe API is at" in text
    assert "web app" not in next_steps(OUTPUTS)


def test_only_deployed_stacks_that_the_settings_leave_out_are_left_over() -> None:
    deployed = cloudformation("CaloJobs", "CaloApi", "CaloLive", "CaloWeb", "Other")
    assert removal_of_leftovers(Settings(), deployed) == ""
    assert removal_of_leftovers(Settings(ops=False), deployed) == ""
    going = cloudformation("CaloLive", status="DELETE_IN_PROGRESS")
    assert removal_of_leftovers(Settings(live=False), going) == ""


def test_leftovers_are_deleted_dependents_first_and_with_the_callers_profile() -> None:
    deployed = cloudformation("CaloApi", "CaloJobs", "CaloLive", "CaloOps", "CaloWeb")
    settings = Settings(live=False, web=False, ops=False)
    assert removal_of_leftovers(settings, deployed, " --profile work").splitlines() == [
        "The settings leave out what is still deployed and costs money: CaloOps, CaloWeb, CaloLive. "
        "To delete it:",
        "",
        "  aws cloudformation delete-stack --stack-name CaloOps --profile work",
        "  aws cloudformation wait stack-delete-complete --stack-name CaloOps --profile work",
        "  aws cloudformation delete-stack --stack-name CaloWeb --profile work",
        "  aws cloudformation wait stack-delete-complete --stack-name CaloWeb --profile work",
        "  aws cloudformation delete-stack --stack-name CaloLive --profile work",
        "  aws cloudformation wait stack-delete-complete --stack-name CaloLive --profile work",
        "",
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


@pytest.mark.parametrize("settings", [Settings(), None], ids=["checked", "stopped"])
def test_cdk_runs_only_after_the_checks(
    settings: Settings | None, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[Any] = []

    def run_cdk(command: list[str]) -> int:
        commands.append(command)
        return 0

    monkeypatch.setattr(deploy, "check", lambda _: settings)
    monkeypatch.setattr(deploy, "_run_cdk", run_cdk)
    assert deploy.main([]) == (1 if settings is None else 0)
    assert len(commands) == (0 if settings is None else 1)


def test_a_wrong_setting_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy.main(["-c", "rate_limit=abc"]) == 1
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "setting rate_limit must be a whole number\n")
