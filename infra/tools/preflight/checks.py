"""Run all checks, in this order: settings, credentials, this machine, the account."""

from collections.abc import Callable, Generator, Iterator, Mapping

import boto3
from botocore.config import Config
from botocore.exceptions import ConnectionError as Unreachable
from botocore.exceptions import HTTPClientError, ProfileNotFound

from infra.settings import Settings
from infra.tools.preflight.account import Account, check_account
from infra.tools.preflight.finding import BOTO_ERRORS, Finding, note, ok, reason, stop
from infra.tools.preflight.machine import Machine, check_machine

CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
CDK_REGION = "us-east-1"
"""The region that cdk uses if no region is configured."""
LOG_IN = "log in or set AWS_PROFILE, until `aws sts get-caller-identity` succeeds"
REMEDIES: list[tuple[tuple[type[Exception], ...], str]] = [
    ((ProfileNotFound,), "set AWS_PROFILE to a profile that `aws configure list-profiles` shows"),
    (
        (Unreachable, HTTPClientError, ValueError),  # ValueError: AWS_ENDPOINT_URL is not a URL
        "check the network, HTTPS_PROXY, AWS_ENDPOINT_URL and the name of the region",
    ),
]


def preflight(
    settings: Settings, machine: Machine, new_session: Callable[[], boto3.Session]
) -> Iterator[Finding]:
    """Run all checks. The account is not checked without valid credentials and a region."""
    yield ok("settings", f"size={settings.size}")
    if names := settings.changed_local_run_settings:
        yield note("settings", f"for the local run only, so remove them: {', '.join(names)}")
    account = yield from _find_account(new_session, machine.environment)
    yield from check_machine(settings, machine)
    if account is not None:
        yield from check_account(settings, account)


def report(findings: Iterator[Finding]) -> int:
    """Print each finding as soon as it is available. Returns 1 if one of them is marked `stop`."""
    status = 0
    for finding in findings:
        print(finding, flush=True)
        status = 1 if finding.mark == "stop" else status
    return status


def _find_account(
    new_session: Callable[[], boto3.Session], environment: Mapping[str, str]
) -> Generator[Finding, None, Account | None]:
    """Check the credentials and the region. Returns the account, or None if either is missing."""
    try:
        session = new_session()
        region = session.region_name
        if region is None:
            yield stop(
                "region", f"set AWS_REGION or a region in your profile, because cdk would use {CDK_REGION}"
            )
        sts = session.client("sts", config=CONFIG, region_name=region or CDK_REGION)
        identity = sts.get_caller_identity()
    except BOTO_ERRORS as error:
        remedy = next((text for kinds, text in REMEDIES if isinstance(error, kinds)), LOG_IN)
        yield stop("credentials", f"{reason(error)}; {remedy}")
        return None
    endpoint = environment.get("AWS_ENDPOINT_URL")
    yield ok("credentials", f"{identity['Arn']} at {endpoint}" if endpoint else identity["Arn"])
    if region is None:
        return None
    yield ok("region", region)
    return Account(
        id=identity["Account"],
        region=region,
        client=lambda service: session.client(service, config=CONFIG, region_name=region),
        profile=session.profile_name,
    )
