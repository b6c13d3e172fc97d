"""What `make deploy` runs and prints."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.settings import Settings
from infra.tools import deploy
from infra.tools.deploy import next_steps, removal_steps

OUTPUTS = {
    "CaloApi": {"ApiUrl": "https://x.execute-api.eu-west-1.amazonaws.com/api/"},
    "CaloJobs": {"UnsplashSecret": "arn:secret"},
}


def cloudformation(*stacks: str, status: str = "UPDATE_COMPLETE") -> Any:
    pages = [{"Stacks": [{"StackName": name, "StackStatus": status}]} for name in stacks]
    return SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=lambda: pages))


def test_the_next_steps_name_the_api_and_the_secret() -> None:
    text = next_steps({**OUTPUTS, "CaloLive": {}}, " --profile work")
    assert "https://x.execute-api.eu-west-1.amazonaws.com/api\n" in text
    assert (
        "put-secret-value --secret-id 'arn:secret' --secret-string YOUR_ACCESS_KEY --profile work\n" in text
    )
    assert "curl -N https://x.execute-api.eu-west-1.amazonaws.com/api/live" in text


def test_without_the_relay_the_stream_is_not_named() -> None:
    assert "/live" not in next_steps(OUTPUTS)


def test_the_web_app_is_named_if_it_is_deployed() -> None:
    text = next_steps({**OUTPUTS, "CaloWeb": {"SiteUrl": "https://d1.cloudfront.net"}})
    assert "The web app is at https://d1.cloudfront.net\nThe API is at" in text
    assert "web app" not in next_steps(OUTPUTS)


def test_stacks_are_removed_only_if_they_are_deployed_and_excluded() -> None:
    deployed = cloudformation("CaloJobs", "CaloApi", "CaloLive", "CaloWeb", "Other")
    assert removal_steps(Settings(), deployed) == ""
    assert removal_steps(Settings(ops=False), deployed) == ""
    deleting = cloudformation("CaloLive", status="DELETE_IN_PROGRESS")
    assert removal_steps(Settings(live=False), deleting) == ""


def test_dependent_stacks_are_deleted_first_with_the_callers_profile() -> None:
    deployed = cloudformation("CaloApi", "CaloJobs", "CaloLive", "CaloOps", "CaloWeb")
    settings = Settings(live=False, web=False, ops=False)
    assert removal_steps(settings, deployed, " --profile work").splitlines() == [
        "The settings exclude stacks that are still deployed and incur costs: CaloOps, CaloWeb, CaloLive. "
        "To delete them:",
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


def test_arguments_are_passed_to_cdk_and_its_exit_status_is_returned(
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
    assert deploy.deploy(arguments, settings, run_cdk=run(3), client=lambda _: cloudformation()) == 3
    assert capsys.readouterr().out == ""
    assert (
        deploy.deploy(arguments, settings, run_cdk=run(0), client=lambda _: cloudformation("CaloLive")) == 0
    )
    assert commands[0][:2] == ["deploy", "--all"]
    assert commands[0][-2:] == arguments
    output = capsys.readouterr().out
    assert output.index("The API is at") < output.index("delete-stack --stack-name CaloLive")


def test_a_deployment_does_not_fail_if_stacks_cannot_be_listed(
    outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def denied(_: str) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeStacks")

    def cdk(_: Any) -> int:
        outputs.write_text(json.dumps(OUTPUTS))
        return 0

    assert deploy.deploy([], Settings(), run_cdk=cdk, client=denied) == 0
    output = capsys.readouterr().out
    assert "The API is at" in output
    assert "AccessDenied" in output.splitlines()[-1]


def test_outputs_of_an_earlier_deployment_are_not_printed(
    outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs.write_text(json.dumps(OUTPUTS))
    assert (
        deploy.deploy(["--no-execute"], Settings(), run_cdk=lambda _: 0, client=lambda _: cloudformation())
        == 0
    )
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


def test_an_invalid_setting_is_reported_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy.main(["-c", "kind.photo.timeout=abc"]) == 1
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "setting kind.photo.timeout must be a whole number\n")
