"""Rules for every resource of every stack, including those that are added later."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aws_cdk.assertions import Template

from tests.conftest import synth_stacks
from tests.infra import SIGN_IN

VARIANTS: list[dict[str, str]] = [
    {},
    {"size": "small"},
    {"live": "false", "images": "hotlink"},
    {"api_key": "true", "web": "false", "api_start": "snapstart", "flow_logs": "all"},
    {"auth": "cognito", "self_sign_up": "true"},
    {**SIGN_IN, "api_start": "snapstart"},
    {"api_start": "provisioned", "alarm_email": "operator@example.com", "retain_data": "false"},
]


@pytest.mark.parametrize("context", VARIANTS, ids=str)
def test_cdk_nag_has_no_findings_and_no_stack_uses_exports(context: dict[str, str]) -> None:
    """CloudFormation refuses to change an export that is imported, so settings could not be changed."""
    templates = synth_stacks(nag="true", **context)  # raises an error with the findings
    published = {parameter["Name"] for _, parameter in resources(templates, "AWS::SSM::Parameter")}
    for template in templates.values():
        text = json.dumps(template.to_json())
        assert "Fn::ImportValue" not in text
        assert not [output for output in template.to_json().get("Outputs", {}).values() if "Export" in output]
        parameters = template.to_json()["Parameters"].values()
        names = {
            parameter["Default"] for parameter in parameters if parameter["Default"].startswith("/calo/")
        }
        assert names <= published


def test_cdk_nag_reports_a_finding() -> None:
    with pytest.raises(RuntimeError, match="AwsSolutions-SQS4"):
        synth_stacks(nag="true", tls_only="false")


def test_global_names_contain_the_region(templates: dict[str, Template]) -> None:
    """Otherwise a deployment to a second region of the account would fail."""
    policies = resources(templates, "AWS::CloudFront::ResponseHeadersPolicy")
    controls = resources(templates, "AWS::CloudFront::OriginAccessControl")
    functions = resources(templates, "AWS::CloudFront::Function")
    names = [
        *(policy["ResponseHeadersPolicyConfig"]["Name"] for _, policy in policies),
        *(control["OriginAccessControlConfig"]["Name"] for _, control in controls),
        *(function["Name"] for _, function in functions),
    ]
    assert len(names) == 5
    for name in names:
        parts = name["Fn::Join"][1]
        assert {"Ref": "AWS::Region"} in parts
        longest_region = len("ap-southeast-1")
        assert sum(len(text) if isinstance(text, str) else longest_region for text in parts) <= 64


def test_without_retained_data_nothing_blocks_the_deletion_of_a_stack() -> None:
    templates = synth_stacks(retain_data="false")
    retained = [
        name
        for stack, template in templates.items()
        for name, resource in template.to_json()["Resources"].items()
        if resource.get("DeletionPolicy") == "Retain" and not is_account_wide(resource)
    ]
    assert retained == []
    emptied = {
        emptier["BucketName"]["Ref"] for _, emptier in resources(templates, "Custom::S3AutoDeleteObjects")
    }
    assert emptied == {name.split("/")[1] for name, _ in resources(templates, "AWS::S3::Bucket")}
    for _, table in resources(templates, "AWS::DynamoDB::GlobalTable"):
        assert not table["Replicas"][0].get("DeletionProtectionEnabled")


def is_account_wide(resource: dict[str, Any]) -> bool:
    """Return whether it is API Gateway's permission to log, which all APIs of the account share."""
    return resource["Type"] == "AWS::ApiGateway::Account" or "AmazonAPIGatewayPushToCloudWatchLogs" in str(
        resource
    )


def resources(templates: dict[str, Template], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for stack, template in templates.items():
        for name, resource in template.find_resources(kind).items():
            yield f"{stack}/{name}", resource["Properties"]


def test_every_log_group_has_a_retention(templates: dict[str, Template]) -> None:
    groups = dict(resources(templates, "AWS::Logs::LogGroup"))
    assert [name for name, log in groups.items() if not log.get("RetentionInDays")] == []
    assert len(groups) > 10


def test_every_function_writes_to_its_own_log_group(templates: dict[str, Template]) -> None:
    """Otherwise Lambda creates a log group without retention."""
    without = [
        name
        for name, function in resources(templates, "AWS::Lambda::Function")
        if "LoggingConfig" not in function
    ]
    assert without == []


WITHOUT_RESOURCES = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "dynamodb:ListStreams",
    "sns:Unsubscribe",
    "ecr:GetAuthorizationToken",
}
"""Actions without resource types: https://docs.aws.amazon.com/service-authorization/latest/reference/"""


def statements(templates: dict[str, Template]) -> Iterator[dict[str, Any]]:
    """Yield all policy statements except those of CDK's own function that publishes the web app."""
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
    actions = {action for statement in statements(templates) for action in as_list(statement["Action"])}
    assert [action for action in actions if "*" in action] == []


def test_only_actions_without_resource_types_are_allowed_on_all_resources(
    templates: dict[str, Template],
) -> None:
    on_all = {
        action
        for statement in statements(templates)
        if "*" in as_list(statement["Resource"])
        for action in as_list(statement["Action"])
    }
    assert on_all <= WITHOUT_RESOURCES


@pytest.mark.parametrize(
    ("kind", "policy"),
    [("AWS::SQS::Queue", "AWS::SQS::QueuePolicy"), ("AWS::S3::Bucket", "AWS::S3::BucketPolicy")],
)
def test_requests_without_tls_are_denied(templates: dict[str, Template], kind: str, policy: str) -> None:
    denying = 0
    for _, properties in resources(templates, policy):
        denied = [
            statement
            for statement in properties["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny"
        ]
        denying += any(
            statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} for statement in denied
        )
    assert denying == len(list(resources(templates, kind))) > 0
