"""Checks of the account and the region that are deployed to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.preflight.finding import Finding, note, ok, one_line, stop
from infra.preflight.zones import WITHOUT_CDN_LOGS, vpc_link_zones
from infra.settings import Settings

BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION = 6
"""What the stacks' synthesizer asks for: https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html"""
OTHER_FUNCTIONS = 5
"""Executions at the same time that calls, the counter and the watchdog need besides the workers."""
UNRESERVED = 100
"""Executions that Lambda keeps free of provisioned concurrency."""


@dataclass(frozen=True)
class Account:
    """An account and a region, with clients of their services, and the profile that they are asked with."""

    id: str
    region: str
    client: Callable[[str], Any]
    profile: str = "default"


def check_account(settings: Settings, account: Account) -> list[Finding]:
    """Return what the account and the region lack. A check that may not look becomes a note."""
    checks = {"CDK bootstrap": _bootstrap, "access logs": _access_logs, "Lambda": _concurrency}
    if settings.live:
        checks |= {"availability zones": _zones, "VPCs": _vpcs}
        if settings.nat_gateways:
            checks["Elastic IPs"] = _addresses
    return [_guarded(subject, check, settings, account) for subject, check in checks.items()]


def _guarded(
    subject: str, check: Callable[[Settings, Account], Finding], settings: Settings, account: Account
) -> Finding:
    try:
        return check(settings, account)
    except (BotoCoreError, ClientError) as error:
        return note(subject, f"not checked: {one_line(error)}")


def _bootstrap(_: Settings, account: Account) -> Finding:
    command = f'PATH="$PWD/.venv/bin:$PATH" cdk bootstrap aws://{account.id}/{account.region}'
    if account.profile != "default":
        command += f" --profile {account.profile}"
    ssm = account.client("ssm")
    try:
        version = int(ssm.get_parameter(Name=BOOTSTRAP)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return stop("CDK bootstrap", f"{account.id} is not bootstrapped in {account.region}. Once: {command}")
    if version < BOOTSTRAP_VERSION:
        return stop("CDK bootstrap", f"version {version} is too old. Once: {command}")
    return ok("CDK bootstrap", f"version {version}")


def _access_logs(settings: Settings, account: Account) -> Finding:
    distributions = settings.web or settings.images == "cdn"
    if settings.access_logs and distributions and account.region in WITHOUT_CDN_LOGS:
        text = f"access_logs=true cannot be combined with region {account.region}"
        return stop("access logs", f"{text}, where CloudFront writes none: deploy with -c access_logs=false")
    return ok("access logs", "kept for 90 days" if settings.access_logs else "left out")


def _concurrency(settings: Settings, account: Account) -> Finding:
    limits = account.client("lambda").get_account_settings()["AccountLimit"]
    limit = limits["ConcurrentExecutions"]
    warm = 3 * settings.api_provisioned if settings.api_start == "provisioned" else 0
    unreserved = limits["UnreservedConcurrentExecutions"]
    if warm and warm > unreserved - UNRESERVED:
        text = (
            f"api_start=provisioned keeps {warm} executions, and {UNRESERVED} of {unreserved} must stay free"
        )
        return stop("Lambda", f"{text}: ask for more under Service Quotas, or deploy with -c api_start=none")
    workers = settings.worker_concurrency + settings.result_concurrency + settings.dlq_concurrency
    if limit >= workers + OTHER_FUNCTIONS:
        return ok("Lambda", f"{limit} concurrent executions")
    text = f"{limit} concurrent executions in all; workers may take {workers}, and calls of the API then fail"
    remedy = (
        "ask for more under Service Quotas, or deploy with -c worker_concurrency=3 -c result_concurrency=2"
    )
    return note("Lambda", f"{text}: {remedy}")


def _zones(settings: Settings, account: Account) -> Finding:
    supported = vpc_link_zones(account.region)
    if not supported:
        text = f"VPC links V2 are not documented for {account.region}"
        return stop("availability zones", f"{text}: deploy without the live stream, -c live=false")
    ec2 = account.client("ec2")
    ids = _zone_ids(ec2)
    used = settings.zones or _first_zones(ec2, ids)
    wrong = [_named(name, ids) for name in used if ids.get(name) not in supported]
    if not wrong and len(used) >= 2:
        return ok("availability zones", ", ".join(_named(name, ids) for name in used))
    text = f"no VPC link in {', '.join(wrong)}" if wrong else f"only {used[0]} would be chosen"
    good = sorted(name for name, zone_id in ids.items() if zone_id in supported)
    if len(good) < 2:
        return stop("availability zones", f"{text}, nor in two others: -c live=false")
    return stop("availability zones", f"{text}: -c availability_zones={','.join(good[:2])}")


def _zone_ids(ec2: Any) -> dict[str, str]:
    """Return the ids of the available zones by their names, without local zones."""
    found = ec2.describe_availability_zones(
        Filters=[
            {"Name": "state", "Values": ["available"]},
            {"Name": "opt-in-status", "Values": ["opt-in-not-required"]},
        ]
    )
    return {zone["ZoneName"]: zone["ZoneId"] for zone in found["AvailabilityZones"]}


def _first_zones(ec2: Any, ids: Mapping[str, str]) -> list[str]:
    """Return the two that Fn::GetAZs names first. Zones with a default subnet hide the others:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getavailabilityzones.html
    """
    found = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    with_default = {subnet["AvailabilityZone"] for subnet in found} & ids.keys()
    return sorted(with_default or ids)[:2]


def _named(name: str, ids: Mapping[str, str]) -> str:
    return f"{name} ({ids.get(name, 'does not exist')})"


def _vpcs(_: Settings, account: Account) -> Finding:
    used = len(account.client("ec2").describe_vpcs()["Vpcs"])
    return _quota(account, "VPCs", ("vpc", "L-F678F1CE"), used, 1)


def _addresses(settings: Settings, account: Account) -> Finding:
    used = len(account.client("ec2").describe_addresses()["Addresses"])
    return _quota(account, "Elastic IPs", ("ec2", "L-0263D0A3"), used, settings.nat_gateways)


def _quota(account: Account, subject: str, quota: tuple[str, str], used: int, needed: int) -> Finding:
    """A deployment that exists already has what it needs, so too few are a note."""
    service, code = quota
    quotas = account.client("service-quotas")
    limit = int(quotas.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]["Value"])
    text = f"{used} of {limit} used"
    if used + needed <= limit:
        return ok(subject, text)
    return note(
        subject, f"{text}; a first deployment needs {needed}: ask for more under Service Quotas ({code})"
    )
