"""`make preflight`: one line for each check, and exit status 1 if a deployment would fail.

Takes the arguments of `make deploy`, of which `-c name=value`, `--profile` and `--region` matter here.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProfileNotFound,
)

from infra.bundle import ROOT
from infra.preflight.account import Account, check_account
from infra.preflight.finding import Finding, ok, one_line, stop
from infra.preflight.machine import Machine, check_machine
from infra.settings import Settings

CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
ADVICE = "log in or set AWS_PROFILE; `aws sts get-caller-identity` must answer"
ADVICE_FOR: list[tuple[tuple[type[Exception], ...], str]] = [
    ((ProfileNotFound,), "set AWS_PROFILE to one of those that `aws configure list-profiles` shows"),
    (
        (EndpointConnectionError, ConnectTimeoutError),
        "check the network, HTTPS_PROXY, AWS_ENDPOINT_URL and the region's name",
    ),
]
SessionMaker = Callable[[], boto3.Session]


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    try:
        settings = settings_of(arguments)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return report(preflight(settings, Machine(os.environ), lambda: session_of(arguments, os.environ)))


def settings_of(arguments: Sequence[str]) -> Settings:
    """Return the settings of a deployment with these arguments. Raises ValueError naming a wrong one."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return Settings.from_context(context | dict(map(_assignment, _options(arguments).context)))


def session_of(arguments: Sequence[str], environment: Mapping[str, str]) -> boto3.Session:
    """Return a session with the profile and the region that cdk will use. Raises BotoCoreError.

    cdk reads AWS_REGION before AWS_DEFAULT_REGION; boto3 knows only the latter.
    """
    options = _options(arguments)
    region = options.region or environment.get("AWS_REGION")
    return boto3.Session(profile_name=options.profile, region_name=region or None)


def preflight(settings: Settings, machine: Machine, session: SessionMaker) -> Iterator[Finding]:
    """Run all checks. Those of the account are left out if it cannot be asked."""
    yield ok("settings", f"size={settings.size}")
    account = yield from _account(session, machine.environment)
    yield from check_machine(settings, machine)
    if account is not None:
        yield from check_account(settings, account)


def report(findings: Iterator[Finding]) -> int:
    """Print each as it comes. Returns 1 if one says stop."""
    status = 0
    for finding in findings:
        print(finding, flush=True)
        status = 1 if finding.mark == "stop" else status
    return status


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the arguments of cdk that matter here. Raises ValueError for one without its value."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-c", "--context", action="append", default=[])
    parser.add_argument("--profile")
    parser.add_argument("--region")
    try:
        return parser.parse_known_args(arguments)[0]
    except argparse.ArgumentError as error:
        raise ValueError(str(error)) from None


def _assignment(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:  # cdk would ignore it
        raise ValueError(f"setting {name} has no value: -c {name}=…")
    return name, value


def _account(
    session: SessionMaker, environment: Mapping[str, str]
) -> Generator[Finding, None, Account | None]:
    """Yield what is found, and return the account, or None if it cannot be asked."""
    try:
        here = session()
        region = here.region_name
        if region is None:
            yield stop("region", "set AWS_REGION, or a region in your profile: cdk would take us-east-1")
            return None
        sts = here.client("sts", config=CONFIG, region_name=region)
        identity = sts.get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        advice = next((text for kinds, text in ADVICE_FOR if isinstance(error, kinds)), ADVICE)
        yield stop("credentials", f"{one_line(error)}: {advice}")
        return None
    where = f" at {endpoint}" if (endpoint := environment.get("AWS_ENDPOINT_URL")) else ""
    yield ok("credentials", f"{identity['Arn']}{where}")
    yield ok("region", region)
    return Account(
        identity["Account"],
        region,
        lambda service: here.client(service, config=CONFIG, region_name=region),
        here.profile_name,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
