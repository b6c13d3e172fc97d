"""The checks of the account, with the remedies they name."""

import pytest
from botocore.exceptions import EndpointConnectionError

from infra.settings import Settings
from infra.tools.preflight.account import Account, check_account
from infra.tools.preflight.finding import Finding
from infra.tools.preflight.zones import VPC_LINK_ZONES, WITHOUT_CDN_LOGS, vpc_link_zones
from tests.infra.preflight_fakes import account, error

NEW_ACCOUNT_EXECUTIONS = 10


def find(subject: str, settings: dict[str, str], where: Account) -> Finding:
    findings = check_account(Settings.from_context(settings), where)
    (finding,) = [finding for finding in findings if finding.subject == subject]
    return finding


def test_a_good_account_has_only_ok_findings() -> None:
    findings = check_account(Settings(), account())
    assert {finding.mark for finding in findings} == {"ok"}
    assert len(findings) == 6
    assert all("\n" not in str(finding) for finding in findings)


NOT_FOUND = error("ParameterNotFound")
BOOTSTRAP = 'PATH="$PWD/.venv/bin:$PATH" cdk bootstrap aws://123456789012/us-east-1'
NO_LOGS = "cannot write access logs to buckets in region af-south-1; deploy with -c access_logs=false"
FEWER = "-c kind.*.concurrency=2 -c result_concurrency=2"


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
        ("access logs", {"web": "false"}, account(region="eu-south-1"), "stop", "region eu-south-1;"),
        ("access logs", {"images": "hotlink"}, account(region="af-south-1"), "stop", NO_LOGS),
        ("access logs", {"size": "small"}, account(region="af-south-1"), "ok", "turned off"),
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
            {"kind.*.concurrency": "2", "result_concurrency": "2"},
            account(executions=13),
            "ok",
            "13 concurrent",
        ),
        ("Lambda", {"api_start": "provisioned"}, account(executions=102), "stop", "-c api_start=none"),
        ("Lambda", {"api_start": "provisioned"}, account(executions=103), "ok", "103"),
        (
            "Lambda",
            {"api_start": "provisioned"},
            account(reserved=898),
            "stop",
            "100 of 102 must stay unreserved",
        ),
        ("availability zones", {}, account(), "ok", "us-east-1a (use1-az1), us-east-1b (use1-az2)"),
        (
            "availability zones",
            {},
            account(ids=("use1-az3", "use1-az1", "use1-az5")),
            "stop",
            "VPC links are not available in us-east-1a (use1-az3); "
            "deploy with -c availability_zones=us-east-1b,us-east-1c",
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
            "fewer than two would be chosen; deploy with -c availability_zones=us-east-1a,us-east-1b",
        ),
        ("availability zones", {}, account(region="xx-north-9"), "stop", "-c live=false"),
        ("VPCs", {}, account(vpcs=4), "ok", "4 of 5 used"),
        ("VPCs", {}, account(vpcs=5), "stop", "Quotas (L-F678F1CE), or deploy with -c live=false"),
        ("VPCs", {}, account(vpcs=5, live=True), "note", "5 of 5 used"),
        ("VPCs", {}, account(vpcs=5, quota=10.0), "ok", "5 of 10 used"),
        ("VPCs", {}, account(quota=error("NoSuchResourceException")), "ok", "1 of 5 used"),
        ("VPCs", {}, account(quota=error("AccessDenied")), "note", "not checked: An error occurred (Acc"),
        ("Elastic IPs", {}, account(addresses=4), "ok", "4 of 5 used"),
        ("Elastic IPs", {"nat_gateways": "2"}, account(addresses=4), "stop", "needs 2 more; "),
        ("Elastic IPs", {}, account(addresses=5), "stop", "(L-0263D0A3), or deploy with -c nat_gateways=0"),
    ],
)
def test_a_finding_names_the_problem_and_its_remedy(
    subject: str, settings: dict[str, str], where: Account, mark: str, text: str
) -> None:
    finding = find(subject, settings, where)
    assert (finding.mark, text in finding.text) == (mark, True), finding


def test_without_the_relay_its_network_is_not_checked() -> None:
    settings = Settings(live=False)
    subjects = {finding.subject for finding in check_account(settings, account(ids=("use1-az3",)))}
    assert subjects == {"CDK bootstrap", "access logs", "Lambda"}
    without_nat = check_account(Settings(nat_gateways=0), account())
    assert "Elastic IPs" not in {finding.subject for finding in without_nat}


@pytest.mark.parametrize(
    ("raised", "text"),
    [
        (error("AccessDenied"), "An error occurred (AccessDenied) when calling the Call operation: no"),
        (EndpointConnectionError(endpoint_url="x"), 'Could not connect to the endpoint URL: "x"'),
        (KeyError("Parameter"), "the response has no field 'Parameter'"),
    ],
)
def test_a_check_whose_call_fails_is_a_note(raised: Exception, text: str) -> None:
    finding = find("CDK bootstrap", {}, account(bootstrap=raised))
    assert (finding.mark, finding.text) == ("note", f"not checked: {text}")


def test_zones_of_vpc_links() -> None:
    assert vpc_link_zones("us-west-1") == {"usw1-az1", "usw1-az3"}
    assert vpc_link_zones("nowhere") == set()
    assert all(len(vpc_link_zones(region)) >= 2 for region in VPC_LINK_ZONES)
    assert {"af-south-1", "ap-east-1", "eu-south-1", "me-south-1"} <= WITHOUT_CDN_LOGS
