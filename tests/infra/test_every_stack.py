"""What holds for every resource of every stack, whichever is added later."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from tests.conftest import app_of, synth_stacks

VARIANTS: list[dict[str, str]] = [
    {},
    {"size": "small"},
    {"live": "false", "images": "hotlink"},
    {"api_key": "true", "web": "false", "api_start": "snapstart", "flow_logs": "all"},
    {"api_start": "provisioned", "alarm_email": "somebody@example.com", "retain_data": "false"},
]


@pytest.mark.parametrize("context", VARIANTS, ids=str)
def test_cdk_nag_has_nothing_left_to_say(tmp_path: Path, context: dict[str, str]) -> None:
    app_of(str(tmp_path), nag="true", **context).synth()  # raises and lists what is not acknowledged


def test_cdk_nag_speaks_when_there_is_something_to_say(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="AwsSolutions-SQS4"):
        app_of(str(tmp_path), nag="true", tls_only="false").synth()


@pytest.mark.parametrize("context", VARIANTS, ids=str)
def test_no_stack_imports_what_another_exports(context: dict[str, str]) -> None:
    """CloudFormation refuses to remove or change an export that is imported, so no setting could change."""
    templates = synth_stacks(**context)
    published = {one["Name"] for _, one in resources(templates, "AWS::SSM::Parameter")}
    for template in templates.values():
        text = json.dumps(template.to_json())
        assert "Fn::ImportValue" not in text
        assert not [one for one in template.to_json().get("Outputs", {}).values() if "Export" in one]
        parameters = template.to_json()["Parameters"].values()
        names = {one["Default"] for one in parameters if one["Default"].startswith("/calo/")}
        assert names <= published


def test_names_that_are_global_name_the_region(templates: dict[str, Template]) -> None:
    """Else a deployment to a second region of the account would fail."""
    policies = resources(templates, "AWS::CloudFront::ResponseHeadersPolicy")
    controls = resources(templates, "AWS::CloudFront::OriginAccessControl")
    functions = resources(templates, "AWS::CloudFront::Function")
    names = [
        *(one["ResponseHeadersPolicyConfig"]["Name"] for _, one in policies),
        *(one["OriginAccessControlConfig"]["Name"] for _, one in controls),
        *(one["Name"] for _, one in functions),
    ]
    assert len(names) == 5
    for name in names:
        parts = name["Fn::Join"][1]
        assert {"Ref": "AWS::Region"} in parts
        longest_region = len("ap-southeast-1")
        assert sum(len(part) if isinstance(part, str) else longest_region for part in parts) <= 64


def test_without_retained_data_nothing_blocks_the_deletion_of_a_stack() -> None:
    templates = synth_stacks(retain_data="false")
    kept = [
        name
        for stack, template in templates.items()
        for name, one in template.to_json()["Resources"].items()
        if one.get("DeletionPolicy") == "Retain" and not is_left_to_the_account(one)
    ]
    assert kept == []
    emptied = {one["BucketName"]["Ref"] for _, one in resources(templates, "Custom::S3AutoDeleteObjects")}
    assert emptied == {name.split("/")[1] for name, _ in resources(templates, "AWS::S3::Bucket")}
    for _, table in resources(templates, "AWS::DynamoDB::GlobalTable"):
        assert not table["Replicas"][0].get("DeletionProtectionEnabled")


def is_left_to_the_account(resource: dict[str, Any]) -> bool:
    """API Gateway's permission to log belongs to all APIs of the account and region; docs/operations.md."""
    return resource["Type"] == "AWS::ApiGateway::Account" or "AmazonAPIGatewayPushToCloudWatchLogs" in str(
        resource
    )


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
