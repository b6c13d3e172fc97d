"""CaloApi: the calls, the stage, and what its functions may do."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from functions.common.schedule_store import owner_key
from infra.stacks.api import SCHEDULE_KEYS
from tests.conftest import synth_stacks, templates_of
from tests.infra import SIGN_IN
from tests.infra.test_every_stack import as_list
from tests.infra.test_jobs_stack import statements
from tests.unit.factories import make_job, make_schedule

CONTRACT = Path(__file__).parents[2] / "infra" / "tools" / "contract.json"
"""The calls. The schemas of kinds are added to them when a bundle is built."""


@pytest.fixture
def api(templates: dict[str, Template]) -> Template:
    return templates["CaloApi"]


def methods(template: Template) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return (HTTP method, path, resource) of every method."""
    resources = template.find_resources("AWS::ApiGateway::Resource")

    def path(reference: dict[str, Any]) -> str:
        if "Fn::GetAtt" in reference:
            return ""
        properties = resources[reference["Ref"]]["Properties"]
        return f"{path(properties['ParentId'])}/{properties['PathPart']}"

    return [
        (method["Properties"]["HttpMethod"], path(method["Properties"]["ResourceId"]), method)
        for method in template.find_resources("AWS::ApiGateway::Method").values()
    ]


def routes(template: Template) -> set[tuple[str, str]]:
    """Return (HTTP method, path) of every method except the preflight methods."""
    return {(method, path) for method, path, _ in methods(template) if method != "OPTIONS"}


@pytest.fixture(scope="module")
def with_sign_in() -> Template:
    """Return CaloApi with all calls."""
    return templates_of(**SIGN_IN)["CaloApi"]


def test_the_routes_match_the_openapi_document(api: Template, with_sign_in: Template) -> None:
    """HEAD comes with every GET, and is not described on its own."""
    described = {(method, path) for method, path, _ in described_calls()}
    head = {("HEAD", path) for method, path in described if method == "GET"}
    assert routes(with_sign_in) == described | head
    assert routes(api) == routes(with_sign_in) - {("POST", "/live/tickets")}


def described_calls() -> list[tuple[str, str, dict[str, Any]]]:
    """Return (HTTP method, path, operation) of every call in the OpenAPI document."""
    paths = json.loads(CONTRACT.read_text())["paths"]
    return [
        (method.upper(), path, operation)
        for path, calls in paths.items()
        for method, operation in calls.items()
    ]


@pytest.mark.parametrize(("method", "path", "operation"), described_calls())
def test_every_method_and_header_of_the_openapi_document_passes_the_preflight(
    with_sign_in: Template, method: str, path: str, operation: dict[str, Any]
) -> None:
    allowed = preflight(with_sign_in, path)
    headers = {each["name"] for each in operation.get("parameters", []) if each["in"] == "header"}
    if "requestBody" in operation:
        headers.add("Content-Type")
    assert {method, "HEAD"} <= allowed["Methods"]
    assert headers | {"Authorization", "Cache-Control", "Last-Event-ID", "X-Api-Key"} <= allowed["Headers"]
    assert allowed["Origin"] == {"*"}


def preflight(template: Template, path: str) -> dict[str, set[str]]:
    """Return what the preflight of a path allows."""
    (integration,) = [
        method["Properties"]["Integration"]
        for name, own_path, method in methods(template)
        if (name, own_path) == ("OPTIONS", path)
    ]
    (response,) = integration["IntegrationResponses"]
    prefix = "method.response.header.Access-Control-Allow-"
    return {
        name.removeprefix(prefix): {word.strip() for word in value.strip("'").split(",")}
        for name, value in response["ResponseParameters"].items()
        if name.startswith(prefix)
    }


def test_every_path_supports_preflight_requests(api: Template) -> None:
    paths = {path for _, path in routes(api)}
    preflight_paths = {path for method, path, _ in methods(api) if method == "OPTIONS"}
    assert paths <= preflight_paths


def test_the_stage_is_named_api_and_throttled(api: Template) -> None:
    stages = list(api.find_resources("AWS::ApiGateway::Stage").values())
    assert [stage["Properties"]["StageName"] for stage in stages] == ["api"]
    limits = {
        (setting["HttpMethod"], setting["ResourcePath"]): (
            setting["ThrottlingRateLimit"],
            setting["ThrottlingBurstLimit"],
        )
        for setting in stages[0]["Properties"]["MethodSettings"]
    }
    assert limits == {
        ("*", "/*"): (100, 200),
        ("POST", "/~1jobs"): (20, 40),
        ("POST", "/~1jobs~1{id}~1retry"): (20, 40),
        ("POST", "/~1jobs~1{id}~1deliveries"): (20, 40),
        ("POST", "/~1schedules"): (20, 40),
        # when a relay stops, thousands of clients open a stream within seconds
        ("GET", "/~1live"): (2000, 4000),
    }


def test_calls_with_their_own_limits_have_the_same_logs_and_metrics(api: Template) -> None:
    (stage,) = api.find_resources("AWS::ApiGateway::Stage").values()
    for setting in stage["Properties"]["MethodSettings"]:
        assert (setting["MetricsEnabled"], setting["LoggingLevel"]) == (True, "ERROR")


def test_gateway_responses_have_the_contracts_error_format_and_cors(api: Template) -> None:
    responses = {
        resource["Properties"]["ResponseType"]: resource["Properties"]
        for resource in api.find_resources("AWS::ApiGateway::GatewayResponse").values()
    }
    statuses = {"THROTTLED": 429, "INVALID_API_KEY": 403, "MISSING_AUTHENTICATION_TOKEN": 404}
    statuses |= {"REQUEST_TOO_LARGE": 413, "BAD_REQUEST_BODY": 400, "DEFAULT_4XX": 400, "DEFAULT_5XX": 500}
    assert {name: int(responses[name]["StatusCode"]) for name in statuses} == statuses
    for response in responses.values():
        headers = response["ResponseParameters"]
        assert headers["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        body = json.loads(response["ResponseTemplates"]["application/json"])
        assert list(body) == ["type", "title", "status", "detail", "errors"]
        assert body["status"] == int(response["StatusCode"])
    assert responses["THROTTLED"]["ResponseParameters"]["gatewayresponse.header.Retry-After"] == "'1'"


def firewall_rules(template: Template) -> dict[str, dict[str, Any]]:
    (acl,) = template.find_resources("AWS::WAFv2::WebACL").values()
    return {rule["Name"]: rule for rule in acl["Properties"]["Rules"]}


def test_the_firewall_protects_the_stage_and_limits_the_rate_of_an_address(api: Template) -> None:
    (guard,) = api.find_resources("AWS::WAFv2::WebACLAssociation").values()
    assert "Stage" in json.dumps(guard["Properties"]["ResourceArn"])
    rules = firewall_rules(api)
    assert len({rule["Priority"] for rule in rules.values()}) == len(rules) == 3
    assert rules["Rate"]["Statement"]["RateBasedStatement"]["Limit"] == 2000
    response = rules["Rate"]["Action"]["Block"]["CustomResponse"]
    assert response["ResponseCode"] == 429
    headers = {header["Name"]: header["Value"] for header in response["ResponseHeaders"]}
    assert headers["Retry-After"] == "300"
    assert headers["Access-Control-Allow-Origin"] == "*"
    (acl,) = api.find_resources("AWS::WAFv2::WebACL").values()
    (body,) = acl["Properties"]["CustomResponseBodies"].values()
    assert json.loads(body["Content"])["status"] == 429


def test_the_firewall_blocks_no_request_because_of_its_body(api: Template) -> None:
    """The input of a job may be any text of 32 KB. The names are those of AWS's documentation:
    https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html"""
    rules = firewall_rules(api)
    counting = {}
    for name, rule in rules.items():
        assert "SizeConstraintStatement" not in str(rule)
        if group := rule["Statement"].get("ManagedRuleGroupStatement"):
            assert rule["OverrideAction"] == {"None": {}}  # the other rules of the group block
            actions = {each["Name"]: each["ActionToUse"] for each in group["RuleActionOverrides"]}
            assert list(actions.values()) == [{"Count": {}}] * len(actions)
            counting[name] = set(actions)
    assert counting == {
        "AWSManagedRulesCommonRuleSet": {
            "CrossSiteScripting_BODY", "EC2MetaDataSSRF_BODY", "GenericLFI_BODY", "GenericRFI_BODY",
            "SizeRestrictions_BODY", "SizeRestrictions_QUERYSTRING",
        },
        "AWSManagedRulesKnownBadInputsRuleSet": {
            "JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY",
        },
    }  # fmt: skip


def calls_with_key(template: Template) -> set[tuple[str, str]]:
    return {
        (name, path) for name, path, method in methods(template) if method["Properties"].get("ApiKeyRequired")
    }


def test_with_an_api_key_all_calls_except_preflights_and_the_stream_require_it() -> None:
    template = synth_stacks(api_key="true", web="false", ops="false")["CaloApi"]
    assert calls_with_key(template) == routes(template) - {("GET", "/live"), ("HEAD", "/live")}
    assert "ApiKeyId" in template.to_json()["Outputs"]


def test_without_an_api_key_no_call_requires_one(api: Template) -> None:
    assert calls_with_key(api) == set()


def test_the_reader_may_query_the_indexes_of_lists_and_write_nothing(api: Template) -> None:
    own = [
        statement
        for statement in statements(api, "ReadJobsServiceRole")
        if "dynamodb" in str(statement["Action"])
    ]
    actions = {action for statement in own for action in as_list(statement["Action"])}
    assert actions == {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
    (queried,) = [statement["Resource"] for statement in own if statement["Action"] == "dynamodb:Query"]
    assert set(re.findall("/index/([a-z-]+)", str(queried))) == {"by-created", "by-status", "by-kind"}


@pytest.mark.parametrize(
    ("role", "actions", "indexes"),
    [
        ("CreateJobServiceRole", {"GetItem", "BatchGetItem", "PutItem", "UpdateItem"}, set()),
        (
            "ChangeJobServiceRole",
            {"GetItem", "BatchGetItem", "UpdateItem", "Query"},
            {"by-created", "by-status", "by-kind"},
        ),
    ],
)
def test_the_writers_may_only_read_and_write_jobs(
    api: Template, role: str, actions: set[str], indexes: set[str]
) -> None:
    own = [each for each in statements(api, role) if "dynamodb" in str(each["Action"])]
    allowed = {action for each in own for action in as_list(each["Action"])}
    assert allowed == {f"dynamodb:{action}" for action in actions}
    assert set(re.findall("/index/([a-z-]+)", str([each["Resource"] for each in own]))) == indexes
    assert "ledger" not in str(own)


def test_the_function_of_schedules_reads_and_writes_nothing_but_schedules(api: Template) -> None:
    (statement,) = [
        statement
        for statement in statements(api, "SchedulesServiceRole")
        if not re.search("logs:|xray:", str(statement["Action"]))
    ]
    assert {action.removeprefix("dynamodb:") for action in statement["Action"]} == {
        "GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem",
    }  # fmt: skip
    assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["schedule*"]}}
    schedule = make_schedule()
    keys = {schedule.to_item()["id"]["S"], owner_key(schedule.owner)["id"]["S"]}
    assert all(key.startswith(SCHEDULE_KEYS) for key in keys)
    assert not make_job().id.startswith(SCHEDULE_KEYS)


def test_the_endpoint_is_regional_because_edge_endpoints_close_idle_streams(api: Template) -> None:
    (rest_api,) = api.find_resources("AWS::ApiGateway::RestApi").values()
    assert rest_api["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_the_access_log_destination_has_no_wildcard(api: Template) -> None:
    """API Gateway rejects an ARN that ends with a wildcard."""
    (stage,) = api.find_resources("AWS::ApiGateway::Stage").values()
    destination = stage["Properties"]["AccessLogSetting"]["DestinationArn"]
    (group,) = [name for name in api.find_resources("AWS::Logs::LogGroup") if name.startswith("AccessLog")]
    assert destination["Fn::Join"][1][-1] == {"Ref": group}
