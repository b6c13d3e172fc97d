"""Every outcome of every check, and the remedy that it names."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ProfileNotFound

from infra.preflight.__main__ import main, preflight, report, session_of, settings_of
from infra.preflight.account import Account, check_account
from infra.preflight.finding import Finding
from infra.preflight.machine import Machine, check_machine
from infra.preflight.zones import VPC_LINK_ZONES, WITHOUT_CDN_LOGS, vpc_link_zones
from infra.settings import Settings

SMALL_ACCOUNT = 10


class ParameterNotFoundError(Exception):
    """As the SSM client names it, but for the end."""


def machine(**changes: Any) -> Machine:
    usual = Machine({}, "Linux", "aarch64", Path("/nowhere"), lambda name: f"/bin/{name}", lambda _: "")
    return replace(usual, **changes)


def zones(*ids: str) -> list[dict[str, str]]:
    letters = dict(zip("abcdef", ids, strict=False))
    return [
        {"ZoneName": f"us-east-1{letter}", "ZoneId": zone, "State": "available"}
        for letter, zone in letters.items()
    ]


def account(
    *,
    region: str = "us-east-1",
    bootstrap: str | None = "30",
    executions: int = 1000,
    reserved: int = 0,
    ids: tuple[str, ...] = ("use1-az1", "use1-az2", "use1-az4"),
    default_subnets: str = "",
    vpcs: int = 1,
    addresses: int = 0,
    error: Exception | None = None,
    profile: str = "default",
) -> Account:
    def get_parameter(**_: str) -> dict[str, Any]:
        if error:
            raise error
        if bootstrap is None:
            raise ParameterNotFoundError
        return {"Parameter": {"Value": bootstrap}}

    clients = {
        "ssm": SimpleNamespace(
            get_parameter=get_parameter, exceptions=SimpleNamespace(ParameterNotFound=ParameterNotFoundError)
        ),
        "lambda": SimpleNamespace(
            get_account_settings=lambda: {
                "AccountLimit": {
                    "ConcurrentExecutions": executions,
                    "UnreservedConcurrentExecutions": executions - reserved,
                }
            }
        ),
        "ec2": SimpleNamespace(
            describe_availability_zones=lambda **_: {"AvailabilityZones": zones(*ids)},
            describe_subnets=lambda **_: {
                "Subnets": [{"AvailabilityZone": f"us-east-1{letter}"} for letter in default_subnets]
            },
            describe_vpcs=lambda: {"Vpcs": [{}] * vpcs},
            describe_addresses=lambda: {"Addresses": [{}] * addresses},
        ),
        "service-quotas": SimpleNamespace(get_service_quota=lambda **_: {"Quota": {"Value": 5.0}}),
    }
    return Account("123456789012", region, clients.__getitem__, profile)


def finding(subject: str, settings: dict[str, str], where: Account) -> Finding:
    (one,) = [one for one in check_account(Settings.from_context(settings), where) if one.subject == subject]
    return one


def test_a_good_account_and_machine_have_nothing_but_ok() -> None:
    findings = [*check_account(Settings(), account()), *check_machine(Settings(), machine())]
    assert {one.mark for one in findings} == {"ok"}
    assert len(findings) == 8
    assert all("\n" not in str(one) for one in findings)


BOOTSTRAP = 'PATH="$PWD/.venv/bin:$PATH" cdk bootstrap aws://123456789012/us-east-1'


@pytest.mark.parametrize(
    ("subject", "settings", "where", "mark", "text"),
    [
        ("CDK bootstrap", {}, account(bootstrap=None), "stop", BOOTSTRAP),
        ("CDK bootstrap", {}, account(bootstrap="5"), "stop", BOOTSTRAP),
        ("CDK bootstrap", {}, account(bootstrap=None, profile="work"), "stop", f"{BOOTSTRAP} --profile work"),
        ("CDK bootstrap", {}, account(bootstrap="6"), "ok", "version 6"),
        ("access logs", {}, account(region="af-south-1"), "stop", "-c access_logs=false"),
        ("access logs", {"web": "false"}, account(region="eu-south-1"), "stop", "region eu-south-1"),
        ("access logs", {"size": "small"}, account(region="af-south-1"), "ok", "left out"),
        ("access logs", {"web": "false", "images": "hotlink"}, account(region="af-south-1"), "ok", "kept"),
        ("Lambda", {}, account(executions=SMALL_ACCOUNT), "note", "Service Quotas"),
        ("Lambda", {}, account(executions=SMALL_ACCOUNT), "note", "-c worker_concurrency=3"),
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
            "no VPC link in us-east-1a (use1-az3): -c availability_zones=us-east-1b,us-east-1c",
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
            "only us-east-1b would be chosen: -c availability_zones=us-east-1a,us-east-1b",
        ),
        ("availability zones", {}, account(region="xx-north-9"), "stop", "-c live=false"),
        ("VPCs", {}, account(vpcs=5), "note", "L-F678F1CE"),
        ("Elastic IPs", {}, account(addresses=5), "note", "L-0263D0A3"),
    ],
)
def test_what_an_account_lacks_is_said_with_its_remedy(
    subject: str, settings: dict[str, str], where: Account, mark: str, text: str
) -> None:
    one = finding(subject, settings, where)
    assert one.mark == mark
    assert text in one.text


def test_without_the_relay_its_network_is_not_checked() -> None:
    settings = Settings(live=False)
    assert check_machine(settings, machine(which=lambda _: None)) == []
    subjects = {one.subject for one in check_account(settings, account(ids=("use1-az3",)))}
    assert subjects == {"CDK bootstrap", "access logs", "Lambda"}
    assert "Elastic IPs" not in {one.subject for one in check_account(Settings(nat_gateways=0), account())}


def test_a_check_that_may_not_look_is_a_note() -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetParameter")
    one = finding("CDK bootstrap", {}, account(error=denied))
    assert (one.mark, "AccessDenied" in one.text) == ("note", True)


def podman(command: list[str]) -> str | None:
    return "" if command == ["podman", "version"] else None


def desktop(command: list[str]) -> str:
    return "Docker Desktop\n" if command == ["docker", "info", "--format", "{{.OperatingSystem}}"] else ""


EMULATOR = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "CDK_DOCKER": "true"}


INSTALL = "docker run --privileged --rm tonistiigi/binfmt --install "


@pytest.mark.parametrize(
    ("relay_cpu", "changes", "mark", "text"),
    [
        ("arm64", {"which": lambda _: None}, "stop", "`docker` is not on PATH"),
        ("arm64", {"ask": lambda _: None}, "stop", "-c live=false"),
        ("arm64", {"environment": {"CDK_DOCKER": "podman"}, "ask": podman}, "ok", "arm64"),
        ("arm64", {"processor": "x86_64"}, "stop", f"{INSTALL}arm64, or deploy with -c relay_cpu=x86_64"),
        ("x86_64", {}, "stop", f"{INSTALL}amd64, or deploy with -c relay_cpu=arm64"),
        ("x86_64", {"processor": "AMD64"}, "ok", "as this machine"),
        ("arm64", {"processor": "x86_64", "ask": desktop}, "note", "Docker Desktop"),
        ("x86_64", {"environment": EMULATOR, "which": lambda _: None}, "note", "AWS_ENDPOINT_URL"),
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


def session(region: str | None, raised: Exception | None = None) -> Callable[[], Any]:
    def identity() -> dict[str, str]:
        if raised:
            raise raised
        return {"Arn": "arn:aws:iam::123456789012:user/me", "Account": "123456789012"}

    def client(service: str, **_: Any) -> Any:
        return (
            SimpleNamespace(get_caller_identity=identity) if service == "sts" else account().client(service)
        )

    return lambda: SimpleNamespace(region_name=region, profile_name="default", client=client)


def no_profile() -> boto3.Session:
    raise ProfileNotFound(profile="nobody")


@pytest.mark.parametrize(
    ("maker", "line"),
    [
        (no_profile, r"stop  credentials: .*nobody.* set AWS_PROFILE.*list-profiles.*"),
        (
            session("us-east-1", EndpointConnectionError(endpoint_url="https://sts")),
            r"stop  credentials: .*https://sts.*: check the network.*",
        ),
        (session("us-east-1", NoCredentialsError()), r"stop  credentials: .*log in or set AWS_PROFILE.*"),
        (session(None), r"stop  region: set AWS_REGION.*"),
    ],
)
def test_without_an_account_there_is_one_line_and_nothing_more_of_it(
    maker: Callable[[], Any], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(preflight(Settings(), machine(), maker)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [one for one in lines if one.startswith("stop")] == [
        one for one in lines if re.fullmatch(line, one)
    ]
    assert not any("bootstrap" in one for one in lines)


def test_a_good_one_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(preflight(Settings(), machine(), session("us-east-1"))) == 0
    assert "ok    credentials: arn:aws:iam::123456789012:user/me" in capsys.readouterr().out


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
    assert main(["-c", argument]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(message)
    assert shown.err.count("\n") == 1


def test_context_without_its_assignment_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-c"]) == 1
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


def test_zones_of_vpc_links() -> None:
    assert vpc_link_zones("us-west-1") == {"usw1-az1", "usw1-az3"}
    assert vpc_link_zones("nowhere") == set()
    assert all(len(vpc_link_zones(region)) >= 2 for region in VPC_LINK_ZONES)
    assert {"af-south-1", "ap-east-1", "eu-south-1", "me-south-1"} <= WITHOUT_CDN_LOGS
