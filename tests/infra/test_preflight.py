"""Every outcome of every check, and the remedy that it names."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
)

from infra.preflight.__main__ import check
from infra.preflight.account import Account, check_account
from infra.preflight.arguments import aws_options, session_of, settings_of
from infra.preflight.checks import preflight, report
from infra.preflight.finding import Finding
from infra.preflight.machine import Machine, check_machine, run
from infra.preflight.zones import VPC_LINK_ZONES, WITHOUT_CDN_LOGS, vpc_link_zones
from infra.settings import Settings

NEW_ACCOUNT_EXECUTIONS = 10


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no."}}, "Call")


def answer(value: Any) -> Callable[..., Any]:
    """Return a client's method that answers this, or raises it if it is an error."""

    def method(**_: Any) -> Any:
        if isinstance(value, Exception):
            raise value
        return value

    return method


def machine(**changes: Any) -> Machine:
    usual = Machine({}, "Linux", "aarch64", Path("/nowhere"), lambda name: f"/bin/{name}", lambda _: "")
    return replace(usual, **changes)


def zones(*ids: str) -> list[dict[str, str]]:
    letters = dict(zip("abcdef", ids, strict=False))
    return [{"ZoneName": f"us-east-1{letter}", "ZoneId": zone_id} for letter, zone_id in letters.items()]


def account(
    *,
    region: str = "us-east-1",
    bootstrap: str | Exception = "30",
    executions: int = 1000,
    reserved: int = 0,
    ids: tuple[str, ...] = ("use1-az1", "use1-az2", "use1-az4"),
    default_subnets: str = "",
    vpcs: int = 1,
    addresses: int = 0,
    quota: float | Exception = 5.0,
    live: bool = False,
    profile: str = "default",
) -> Account:
    parameter = bootstrap if isinstance(bootstrap, Exception) else {"Parameter": {"Value": bootstrap}}
    unreserved = executions - reserved
    limits = {"ConcurrentExecutions": executions, "UnreservedConcurrentExecutions": unreserved}
    subnets = [{"AvailabilityZone": f"us-east-1{letter}"} for letter in default_subnets]
    methods: dict[str, dict[str, Any]] = {
        "ssm": {"get_parameter": parameter},
        "lambda": {"get_account_settings": {"AccountLimit": limits}},
        "ec2": {
            "describe_availability_zones": {"AvailabilityZones": zones(*ids)},
            "describe_subnets": {"Subnets": subnets},
            "describe_vpcs": {"Vpcs": [{}] * vpcs},
            "describe_addresses": {"Addresses": [{}] * addresses},
        },
        "service-quotas": {
            "get_service_quota": quota if isinstance(quota, Exception) else {"Quota": {"Value": quota}}
        },
        "cloudformation": {"describe_stacks": {} if live else error("ValidationError")},
    }
    clients = {
        service: SimpleNamespace(**{name: answer(value) for name, value in answers.items()})
        for service, answers in methods.items()
    }
    return Account("123456789012", region, clients.__getitem__, profile)


def find(subject: str, settings: dict[str, str], where: Account) -> Finding:
    findings = check_account(Settings.from_context(settings), where)
    (finding,) = [finding for finding in findings if finding.subject == subject]
    return finding


def test_a_good_account_and_machine_have_nothing_but_ok() -> None:
    findings = [*check_account(Settings(), account()), *check_machine(Settings(), machine())]
    assert {finding.mark for finding in findings} == {"ok"}
    assert len(findings) == 8
    assert all("\n" not in str(finding) for finding in findings)


NOT_FOUND = error("ParameterNotFound")
BOOTSTRAP = 'PATH="$PWD/.venv/bin:$PATH" cdk bootstrap aws://123456789012/us-east-1'
NO_LOGS = "access_logs=true cannot be combined with region af-south-1: deploy with -c access_logs=false"
FEWER = "-c worker_concurrency=3 -c result_concurrency=2"


@pytest.mark.parametrize(
    ("subject", "settings", "where", "mark", "text"),
    [
        ("CDK bootstrap", {}, account(bootstrap=NOT_FOUND), "stop", BOOTSTRAP),
        ("CDK bootstrap", {}, account(bootstrap="5"), "stop", BOOTSTRAP),
        (
            "CDK bootstrap",
            {},
            account(bootstrap=NOT_FOUND, profile="work"),
            "stop",
            f"{BOOTSTRAP} --profile work",
        ),
        ("CDK bootstrap", {}, account(bootstrap="6"), "ok", "version 6"),
        ("access logs", {}, account(region="af-south-1"), "stop", NO_LOGS),
        ("access logs", {"web": "false"}, account(region="eu-south-1"), "stop", "region eu-south-1:"),
        ("access logs", {"images": "hotlink"}, account(region="af-south-1"), "stop", NO_LOGS),
        ("access logs", {"size": "small"}, account(region="af-south-1"), "ok", "left out"),
        ("access logs", {"web": "false", "images": "hotlink"}, account(region="af-south-1"), "ok", "kept"),
        (
            "Lambda",
            {},
            account(executions=NEW_ACCOUNT_EXECUTIONS),
            "note",
            f"Service Quotas, or deploy with {FEWER}",
        ),
        (
            "Lambda",
            {"worker_concurrency": "2", "result_concurrency": "2"},
            account(executions=11),
            "ok",
            "11 concurrent",
        ),
        ("Lambda", {"api_start": "provisioned"}, account(executions=102), "stop", "-c api_start=none"),
        ("Lambda", {"api_start": "provisioned"}, account(executions=103), "ok", "103"),
        ("Lambda", {"api_start": "provisioned"}, account(reserved=898), "stop", "100 of 102 must stay free"),
        ("availability zones", {}, account(), "ok", "us-east-1a (use1-az1), us-east-1b (use1-az2)"),
        (
            "availability zones",
            {},
            account(ids=("use1-az3", "use1-az1", "use1-az5")),
            "stop",
            "no VPC link in us-east-1a (use1-az3): deploy with -c availability_zones=us-east-1b,us-east-1c",
        ),
        (
            "availability zones",
            {"availability_zones": "us-east-1b,us-east-1c"},
            account(ids=("use1-az3", "use1-az1", "use1-az5")),
            "ok",
            "us-east-1b (use1-az1), us-east-1c (use1-az5)",
        ),
        (
            "availability zones",
            {"availability_zones": "us-east-1a,x"},
            account(),
            "stop",
            "x (does not exist)",
        ),
        ("availability zones", {}, account(ids=("use1-az3", "use1-az1")), "stop", "-c live=false"),
        (
            "availability zones",
            {},
            account(ids=("use1-az3", "use1-az1", "use1-az5"), default_subnets="bc"),
            "ok",
            "us-east-1b (use1-az1), us-east-1c (use1-az5)",
        ),
        (
            "availability zones",
            {},
            account(default_subnets="b"),
            "stop",
            "fewer than two would be chosen: deploy with -c availability_zones=us-east-1a,us-east-1b",
        ),
        ("availability zones", {}, account(region="xx-north-9"), "stop", "-c live=false"),
        ("VPCs", {}, account(vpcs=4), "ok", "4 of 5 used"),
        ("VPCs", {}, account(vpcs=5), "stop", "Quotas (L-F678F1CE), or deploy with -c live=false"),
        ("VPCs", {}, account(vpcs=5, live=True), "note", "5 of 5 used"),
        ("VPCs", {}, account(vpcs=5, quota=10.0), "ok", "5 of 10 used"),
        ("VPCs", {}, account(quota=error("NoSuchResourceException")), "ok", "1 of 5 used"),
        ("VPCs", {}, account(quota=error("AccessDenied")), "note", "not checked: An error occurred (Acc"),
        ("Elastic IPs", {}, account(addresses=4), "ok", "4 of 5 used"),
        ("Elastic IPs", {"nat_gateways": "2"}, account(addresses=4), "stop", "needs 2: "),
        ("Elastic IPs", {}, account(addresses=5), "stop", "(L-0263D0A3), or deploy with -c nat_gateways=0"),
    ],
)
def test_what_an_account_lacks_is_said_with_its_remedy(
    subject: str, settings: dict[str, str], where: Account, mark: str, text: str
) -> None:
    finding = find(subject, settings, where)
    assert (finding.mark, text in finding.text) == (mark, True), finding


def test_without_the_relay_its_network_is_not_checked() -> None:
    settings = Settings(live=False)
    assert check_machine(settings, machine(which=lambda _: None)) == []
    subjects = {finding.subject for finding in check_account(settings, account(ids=("use1-az3",)))}
    assert subjects == {"CDK bootstrap", "access logs", "Lambda"}
    without_nat = check_account(Settings(nat_gateways=0), account())
    assert "Elastic IPs" not in {finding.subject for finding in without_nat}


@pytest.mark.parametrize(
    ("raised", "text"),
    [
        (error("AccessDenied"), "An error occurred (AccessDenied) when calling the Call operation: no"),
        (EndpointConnectionError(endpoint_url="x"), 'Could not connect to the endpoint URL: "x"'),
        (KeyError("Parameter"), "the answer has no 'Parameter'"),
    ],
)
def test_a_check_whose_call_fails_is_a_note(raised: Exception, text: str) -> None:
    finding = find("CDK bootstrap", {}, account(bootstrap=raised))
    assert (finding.mark, finding.text) == ("note", f"not checked: {text}")


def podman(command: list[str]) -> str | None:
    return "" if command == ["podman", "version"] else None


def desktop(command: list[str]) -> str:
    return "Docker Desktop\n" if command == ["docker", "info", "--format", "{{.OperatingSystem}}"] else ""


EMULATOR = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
INSTALL = "docker run --privileged --rm tonistiigi/binfmt --install "


@pytest.mark.parametrize(
    ("relay_cpu", "changes", "mark", "text"),
    [
        ("arm64", {"which": lambda _: None}, "stop", "`docker` is not on PATH"),
        ("arm64", {"run": lambda _: None}, "stop", "`docker version` fails: its daemon may not run"),
        ("arm64", {"run": lambda _: None}, "stop", "Start it, or name another builder in CDK_DOCKER, or"),
        ("arm64", {"run": lambda _: None}, "stop", "-c live=false"),
        ("arm64", {"environment": {"CDK_DOCKER": "podman"}, "run": podman}, "ok", "arm64"),
        ("arm64", {"processor": "riscv64"}, "stop", f"on riscv64: {INSTALL}arm64"),
        ("arm64", {"processor": "x86_64"}, "stop", f"{INSTALL}arm64, or deploy with -c relay_cpu=x86_64"),
        ("x86_64", {}, "stop", f"{INSTALL}amd64, or deploy with -c relay_cpu=arm64"),
        ("x86_64", {"processor": "AMD64"}, "ok", "like this machine"),
        ("arm64", {"processor": "x86_64", "run": desktop}, "note", "Docker Desktop"),
        ("x86_64", {"environment": EMULATOR}, "note", f"{INSTALL}amd64"),
        ("arm64", {"environment": EMULATOR, "which": lambda _: None}, "note", "`docker` is not on PATH"),
        ("x86_64", {"system": "Darwin", "processor": "arm64"}, "note", "Docker Desktop"),
    ],
)  # fmt: skip
def test_what_keeps_the_image_from_being_built(
    relay_cpu: str, changes: dict[str, Any], mark: str, text: str
) -> None:
    last = check_machine(Settings(relay_cpu=relay_cpu), machine(**changes))[-1]
    assert (last.mark, text in last.text) == (mark, True), last


def test_qemu_builds_for_the_other_processor(tmp_path: Path) -> None:
    (tmp_path / "qemu-aarch64").touch()
    last = check_machine(Settings(), machine(processor="x86_64", emulation=tmp_path))[-1]
    assert (last.mark, last.text) == ("ok", "arm64, emulated by QEMU")


def test_a_command_that_fails_or_does_not_exist_has_no_output() -> None:
    assert run(["echo", "here"]) == "here\n"
    assert run(["false"]) is None
    assert run(["/no/such/command"]) is None


IDENTITY = {"Arn": "arn:aws:iam::123456789012:user/me", "Account": "123456789012"}


def session(region: str | None, identity: Any = IDENTITY) -> Callable[[], Any]:
    sts = SimpleNamespace(get_caller_identity=answer(identity))

    def client(service: str, **_: Any) -> Any:
        return sts if service == "sts" else account().client(service)

    return lambda: SimpleNamespace(region_name=region, profile_name="default", client=client)


def no_profile() -> boto3.Session:
    raise ProfileNotFound(profile="nobody")


LOG_IN = "log in or set AWS_PROFILE; `aws sts get-caller-identity` must answer"
NO_REGION = "stop  region: set AWS_REGION, or a region in your profile: cdk would take us-east-1"
NETWORK = "check the network, HTTPS_PROXY, AWS_ENDPOINT_URL and the region's name"


@pytest.mark.parametrize(
    ("new_session", "line"),
    [
        (no_profile, ".*nobody.*: set AWS_PROFILE to one of those that `aws configure list-profiles` shows"),
        (session("us-east-1", EndpointConnectionError(endpoint_url="sts")), f'.*"sts": {NETWORK}'),
        (session("us-east-1", ReadTimeoutError(endpoint_url="sts")), f'.*"sts": {NETWORK}'),
        (session("us-east-1", ValueError("Invalid endpoint: foo")), f"Invalid endpoint: foo: {NETWORK}"),
        (session("us-east-1", NoCredentialsError()), f"Unable to locate credentials: {LOG_IN}"),
        (session("us-east-1", error("ExpiredToken")), f".*ExpiredToken.*: {LOG_IN}"),
    ],
)  # fmt: skip
def test_without_credentials_there_is_one_line_and_the_account_is_not_checked(
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
        f"stop  credentials: Unable to locate credentials: {LOG_IN}",
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
        ("rate_limit=abc", "setting rate_limit must be a whole number"),
        ("rate=1", "setting rate is unknown"),
        ("live", "setting live has no value: -c live=…"),
    ],
)
def test_a_wrong_setting_is_one_line(argument: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(["-c", argument]) is None
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(message)
    assert shown.err.count("\n") == 1


def test_context_without_its_assignment_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(["-c"]) is None
    assert capsys.readouterr().err == "argument -c/--context: expected one argument\n"


@pytest.mark.parametrize(
    ("arguments", "region"),
    [([], "eu-west-1"), (["--region", "sa-east-1"], "sa-east-1"), (["--region=sa-east-1"], "sa-east-1")],
)
def test_the_region_is_the_one_that_cdk_takes(
    arguments: list[str], region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    assert session_of(arguments, {"AWS_REGION": "eu-west-1"}).region_name == region
    assert session_of([], {}).region_name == "us-west-2"


def test_the_profile_is_the_one_that_cdk_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_zones_of_vpc_links() -> None:
    assert vpc_link_zones("us-west-1") == {"usw1-az1", "usw1-az3"}
    assert vpc_link_zones("nowhere") == set()
    assert all(len(vpc_link_zones(region)) >= 2 for region in VPC_LINK_ZONES)
    assert {"af-south-1", "ap-east-1", "eu-south-1", "me-south-1"} <= WITHOUT_CDN_LOGS
