"""What holds for every resource of every stack, whichever is added later."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from tests.conftest import app_of

VARIANTS: list[dict[str, str]] = [
    {},
    {"live": "false", "images": "hotlink"},
    {"api_key": "true", "web": "false", "api_start": "snapstart", "flow_logs": "all"},
    {"api_start": "provisioned", "alarm_email": "somebody@example.com", "retain_data": "false"},
]


@pytest.mark.parametrize("context", VARIANTS, ids=str)
def test_cdk_nag_has_nothing_left_to_say(tmp_path: Path, context: dict[str, str]) -> None:
    app_of(str(tmp_path), nag="true", **context).synth()  # raises and lists what is not acknowledged


def test_cdk_nag_speaks_when_there_is_something_to_say(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="AwsSolutions-APIG3"):
        app_of(str(tmp_path), nag="true", waf="false").synth()


def resources(templates: dict[str, Template], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for stack, template in templates.items():
        for name, resource in template.find_resources(kind).items():
            yield f"{stack}/{name}", resource["Properties"]


def test_every_log_forgets(templates: dict[str, Template]) -> None:
    found = dict(resources(templates, "AWS::Logs::LogGroup"))
    assert [name for name, log in found.items() if not log.get("RetentionInDays")] == []
    assert len(found) > 10


def test_every_function_writes_to_a_log_that_forgets(templates: dict[str, Template]) -> None:
    """One without would get a log from Lambda itself, which is kept for ever."""
    without = [
        name for name, one in resources(templates, "AWS::Lambda::Function") if "LoggingConfig" not in one
    ]
    assert without == []


MAY_NAME_NO_RESOURCE = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "dynamodb:ListStreams",
    "sns:Unsubscribe",
    "ecr:GetAuthorizationToken",
}
"""https://docs.aws.amazon.com/service-authorization/latest/reference/"""


def statements(templates: dict[str, Template]) -> Iterator[dict[str, Any]]:
    """But for those of CDK's function that publishes the web app, which are not ours to choose."""
    for name, policy in resources(templates, "AWS::IAM::Policy"):
        if "CustomCDKBucketDeployment" in name:
            continue
        yield from policy["PolicyDocument"]["Statement"]
    for _, role in resources(templates, "AWS::IAM::Role"):
        for policy in role.get("Policies", []):
            yield from policy["PolicyDocument"]["Statement"]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_no_action_is_a_wildcard(templates: dict[str, Template]) -> None:
    actions = {action for one in statements(templates) for action in as_list(one["Action"])}
    assert [action for action in actions if "*" in action] == []


def test_only_what_can_name_no_resource_is_allowed_on_all(templates: dict[str, Template]) -> None:
    on_all = {
        action
        for one in statements(templates)
        if "*" in as_list(one["Resource"])
        for action in as_list(one["Action"])
    }
    assert on_all <= MAY_NAME_NO_RESOURCE


@pytest.mark.parametrize(
    ("kind", "policy"),
    [("AWS::SQS::Queue", "AWS::SQS::QueuePolicy"), ("AWS::S3::Bucket", "AWS::S3::BucketPolicy")],
)
def test_nothing_is_taken_without_tls(templates: dict[str, Template], kind: str, policy: str) -> None:
    refusing = 0
    for _, one in resources(templates, policy):
        denied = [part for part in one["PolicyDocument"]["Statement"] if part["Effect"] == "Deny"]
        refusing += any(part["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} for part in denied)
    assert refusing == len(list(resources(templates, kind))) > 0
