"""Checks of the account and the region to deploy to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from infra.deployed_kinds import kinds_of
from infra.settings import Settings
from infra.tools.preflight.finding import BOTO_ERRORS, Finding, error_code, note, ok, reason, stop
from infra.tools.preflight.zones import WITHOUT_CDN_LOGS, vpc_link_zones

BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION = 6
"""The version that the stacks' synthesizer requires: https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html"""
OTHER_FUNCTIONS = 5
"""Concurrent executions for the functions that are not workers: the API, the counter and the watchdog."""
UNRESERVED = 100
"""Concurrent executions that provisioned concurrency must leave unreserved:
https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html"""
DEFAULT_QUOTA = 5
"""The default quota of VPCs, and of Elastic IP addresses, in a region."""


@dataclass(frozen=True, kw_only=True)
class Quota:
    """A quota of an account in a region. `instead` is a setting that avoids using it."""

    subject: str
    service: str
    code: str
    instead: str


VPCS = Quota(subject="VPCs", service="vpc", code="L-F678F1CE", instead="live=false")
ADDRESSES = Quota(subject="Elastic IPs", service="ec2", code="L-0263D0A3", instead="nat_gateways=0")


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account and a region, with a factory of boto3 clients and the profile that they use."""

    id: str
    region: str
    client: Callable[[str], Any]
    profile: str = "default"


def check_account(settings: Settings, account: Account) -> list[Finding]:
    """Return the findings about the account and the region. A check whose AWS calls fail returns a note."""
    checks = {"CDK bootstrap": _check_bootstrap, "access logs": _check_logs, "Lambda": _check_lambda}
    if settings.live:
        checks |= {"availability zones": _check_zones, "VPCs": _check_vpcs}
        if settings.nat_gateways:
            checks["Elastic IPs"] = _check_addresses
    return [_run(subject, partial(check, settings, account)) for subject, check in checks.items()]


def _run(subject: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except BOTO_ERRORS as error:
        return note(subject, f"not checked: {reason(error)}")


def _check_bootstrap(_: Settings, account: Account) -> Finding:
    command = f'PATH="$PWD/.venv/bin:$PATH" cdk bootstrap aws://{account.id}/{account.region}'
    if account.profile != "default":
        command += f" --profile {account.profile}"
    try:
        version = int(account.client("ssm").get_parameter(Name=BOOTSTRAP)["Parameter"]["Value"])
    except ClientError as error:
        if error_code(error) != "ParameterNotFound":
            raise
        text = f"account {account.id} is not bootstrapped in {account.region}"
        return stop("CDK bootstrap", f"{text}; run once: {command}")
    if version < BOOTSTRAP_VERSION:
        return stop("CDK bootstrap", f"version {version} is too old; run once: {command}")
    return ok("CDK bootstrap", f"version {version}")


def _check_logs(settings: Settings, account: Account) -> Finding:
    distributions = settings.web or kinds_of(settings).store_files
    if settings.access_logs and distributions and account.region in WITHOUT_CDN_LOGS:
        text = f"CloudFront cannot write access logs to buckets in region {account.region}"
        return stop("access logs", f"{text}; deploy with -c access_logs=false")
    return ok("access logs", "kept for 90 days" if settings.access_logs else "turned off")


def _check_lambda(settings: Settings, account: Account) -> Finding:
    limits = account.client("lambda").get_account_settings()["AccountLimit"]
    limit, unreserved = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    provisioned = 3 * settings.api_provisioned if settings.api_start == "provisioned" else 0
    remedy = "request a higher quota in Service Quotas, or deploy with"
    if provisioned and provisioned > unreserved - UNRESERVED:
        text = f"api_start=provisioned reserves {provisioned} concurrent executions"
        text += f", but {UNRESERVED} of {unreserved} must stay unreserved"
        return stop("Lambda", f"{text}; {remedy} -c api_start=none")
    kinds = sum(kind.kind.concurrency for kind in kinds_of(settings).deployed.values())
    workers = kinds + settings.result_concurrency + settings.dlq_concurrency
    if limit >= workers + OTHER_FUNCTIONS:
        return ok("Lambda", f"{limit} concurrent executions")
    text = f"{limit} concurrent executions, of which the workers may use {workers}, so API calls may fail"
    return note("Lambda", f"{text}; {remedy} -c kind.*.concurrency=2 -c result_concurrency=2")


def _check_zones(settings: Settings, account: Account) -> Finding:
    supported = vpc_link_zones(account.region)
    if not supported:
        text = f"VPC links V2 are not documented for {account.region}"
        return stop("availability zones", f"{text}; deploy without the live stream: -c live=false")
    ec2 = account.client("ec2")
    ids = _zone_ids(ec2)
    used = settings.zones or _first_zones(ec2, ids)
    unsupported = [_with_id(name, ids) for name in used if ids.get(name) not in supported]
    if not unsupported and len(used) >= 2:
        return ok("availability zones", ", ".join(_with_id(name, ids) for name in used))
    text = "fewer than two would be chosen"
    if unsupported:
        text = f"VPC links are not available in {', '.join(unsupported)}"
    usable = sorted(name for name, zone_id in ids.items() if zone_id in supported)
    if len(usable) < 2:
        text += ", and fewer than two zones support them"
        return stop("availability zones", f"{text}; deploy with -c live=false")
    return stop("availability zones", f"{text}; deploy with -c availability_zones={','.join(usable[:2])}")


def _zone_ids(ec2: Any) -> dict[str, str]:
    """Return the ids of the available zones by zone name, without local zones."""
    response = ec2.describe_availability_zones(
        Filters=[
            {"Name": "state", "Values": ["available"]},
            {"Name": "opt-in-status", "Values": ["opt-in-not-required"]},
        ]
    )
    return {zone["ZoneName"]: zone["ZoneId"] for zone in response["AvailabilityZones"]}


def _first_zones(ec2: Any, ids: Mapping[str, str]) -> list[str]:
    """Return the first two zones of Fn::GetAZs. If some zones have a default subnet, it returns only those:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getavailabilityzones.html
    """
    subnets = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    with_default = {subnet["AvailabilityZone"] for subnet in subnets} & ids.keys()
    return sorted(with_default or ids)[:2]


def _with_id(name: str, ids: Mapping[str, str]) -> str:
    return f"{name} ({ids.get(name, 'does not exist')})"


def _check_vpcs(_: Settings, account: Account) -> Finding:
    used = len(account.client("ec2").describe_vpcs()["Vpcs"])
    return _check_quota(account, VPCS, used=used, needed=1)


def _check_addresses(settings: Settings, account: Account) -> Finding:
    used = len(account.client("ec2").describe_addresses()["Addresses"])
    return _check_quota(account, ADDRESSES, used=used, needed=settings.nat_gateways)


def _check_quota(account: Account, quota: Quota, *, used: int, needed: int) -> Finding:
    """Check the quota for a first deployment. If CaloLive exists, its resources are already counted."""
    limit = _limit(account.client("service-quotas"), quota)
    text = f"{used} of {limit} used"
    if used + needed <= limit:
        return ok(quota.subject, text)
    finding = note if _stack_exists(account, "CaloLive") else stop
    remedy = f"request a higher quota in Service Quotas ({quota.code}), or deploy with -c {quota.instead}"
    return finding(quota.subject, f"{text}, and a first deployment needs {needed} more; {remedy}")


def _limit(quotas: Any, quota: Quota) -> int:
    """Return the quota's value. Service Quotas may not list a quota that was never changed."""
    try:
        response = quotas.get_service_quota(ServiceCode=quota.service, QuotaCode=quota.code)
    except ClientError as error:
        if error_code(error) != "NoSuchResourceException":
            raise
        return DEFAULT_QUOTA
    return int(response["Quota"]["Value"])


def _stack_exists(account: Account, name: str) -> bool:
    try:
        account.client("cloudformation").describe_stacks(StackName=name)
    except ClientError as error:
        if error_code(error) != "ValidationError":  # the stack does not exist
            raise
        return False
    return True
