"""An account and a machine without problems, except those that a test sets."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from infra.tools.preflight.account import Account
from infra.tools.preflight.machine import Machine

EMULATOR = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no."}}, "Call")


def answer(value: Any) -> Callable[..., Any]:
    """Return a client's method that returns the value, or raises it if it is an error."""

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
    return Account(id="123456789012", region=region, client=clients.__getitem__, profile=profile)
