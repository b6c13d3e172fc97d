"""The order of the checks (settings, credentials, region), and the arguments of `cdk` that they read."""

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
)

from infra.settings import Settings
from infra.tools.preflight.__main__ import check
from infra.tools.preflight.arguments import aws_options, session_of, settings_of
from infra.tools.preflight.checks import preflight, report
from tests.infra.preflight_fakes import EMULATOR, account, answer, error, machine

IDENTITY = {"Arn": "arn:aws:iam::123456789012:user/me", "Account": "123456789012"}


def session(region: str | None, identity: Any = IDENTITY) -> Callable[[], Any]:
    sts = SimpleNamespace(get_caller_identity=answer(identity))

    def client(service: str, **_: Any) -> Any:
        return sts if service == "sts" else account().client(service)

    return lambda: SimpleNamespace(region_name=region, profile_name="default", client=client)


def no_profile() -> boto3.Session:
    raise ProfileNotFound(profile="unknown")


LOG_IN = "log in or set AWS_PROFILE, until `aws sts get-caller-identity` succeeds"
NO_REGION = "stop  region: set AWS_REGION or a region in your profile, because cdk would use us-east-1"
NETWORK = "check the network, HTTPS_PROXY, AWS_ENDPOINT_URL and the name of the region"


@pytest.mark.parametrize(
    ("new_session", "line"),
    [
        (no_profile, ".*unknown.*; set AWS_PROFILE to a profile that `aws configure list-profiles` shows"),
        (session("us-east-1", EndpointConnectionError(endpoint_url="sts")), f'.*"sts"; {NETWORK}'),
        (session("us-east-1", ReadTimeoutError(endpoint_url="sts")), f'.*"sts"; {NETWORK}'),
        (session("us-east-1", ValueError("Invalid endpoint: foo")), f"Invalid endpoint: foo; {NETWORK}"),
        (session("us-east-1", NoCredentialsError()), f"Unable to locate credentials; {LOG_IN}"),
        (session("us-east-1", error("ExpiredToken")), f".*ExpiredToken.*; {LOG_IN}"),
    ],
)  # fmt: skip
def test_missing_credentials_are_reported_in_one_line_and_the_account_is_not_checked(
    new_session: Callable[[], Any], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(preflight(Settings(live=False), machine(), new_session)) == 1
    settings, credentials = capsys.readouterr().out.splitlines()
    assert settings == "ok    settings: size=standard"
    assert re.fullmatch(f"stop  credentials: {line}", credentials)


def test_without_a_region_the_account_is_not_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(preflight(Settings(live=False), machine(), session(None))) == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        NO_REGION,
        "ok    credentials: arn:aws:iam::123456789012:user/me",
    ]
    assert report(preflight(Settings(live=False), machine(), session(None, NoCredentialsError()))) == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        NO_REGION,
        f"stop  credentials: Unable to locate credentials; {LOG_IN}",
    ]


def test_when_nothing_is_missing_the_status_is_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(preflight(Settings(), machine(environment=EMULATOR), session("us-east-1"))) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "ok    credentials: arn:aws:iam::123456789012:user/me at http://127.0.0.1:1"
    assert len(lines) == 11


@pytest.mark.parametrize(
    "arguments",
    [
        ["-c", "size=small", "-c", "live=false"],
        ["--context", "size=small", "--context=live=false"],
        ["-c=size=small", "-c=live=false"],
    ],
)
def test_settings_are_read_from_the_arguments_of_cdk(arguments: list[str]) -> None:
    settings = settings_of(["--require-approval", "never", *arguments])
    assert (settings.size, settings.live, settings.nat_gateways) == ("small", False, 0)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("post_rate=abc", "setting post_rate must be a whole number"),
        ("budget.unsplash=abc", "setting budget.unsplash must be a limit"),
        ("kind.photo.speed=9", "setting kind.photo.speed is unknown"),
        ("rate=1", "setting rate is unknown"),
        ("live", "setting live has no value; use -c live=…"),
    ],
)
def test_an_invalid_setting_is_reported_in_one_line(
    argument: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(["-c", argument]) is None
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(message)
    assert captured.err.count("\n") == 1


def test_a_context_option_without_a_value_is_reported_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(["-c"]) is None
    assert capsys.readouterr().err == "argument -c/--context: expected one argument\n"


@pytest.mark.parametrize(
    ("arguments", "region"),
    [([], "eu-west-1"), (["--region", "sa-east-1"], "sa-east-1"), (["--region=sa-east-1"], "sa-east-1")],
)
def test_the_region_is_the_one_that_cdk_uses(
    arguments: list[str], region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    assert session_of(arguments, {"AWS_REGION": "eu-west-1"}).region_name == region
    assert session_of([], {}).region_name == "us-west-2"


def test_the_profile_is_the_one_that_cdk_uses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text("[profile work]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    chosen = session_of(["--profile", "work"], {})
    assert (chosen.profile_name, chosen.region_name) == ("work", "eu-north-1")
    with pytest.raises(ProfileNotFound):
        session_of(["--profile", "other"], {})


def test_commands_for_the_user_reach_the_same_account_and_region() -> None:
    assert aws_options(["-c", "live=false"]) == ""
    assert (
        aws_options(["--profile", "my work", "--region=eu-west-1"])
        == " --profile 'my work' --region eu-west-1"
    )
