"""CaloApi: calls, stage and the streamed route."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from functions.sse_relay.request import Refused, Request, named_jobs
from infra.constructs import live_route
from tests.conftest import read, synth_stacks

OPENAPI = Path(__file__).parents[2] / "functions" / "read_jobs" / "openapi.json"


@pytest.fixture
def api(templates: dict[str, Template]) -> Template:
    return templates["CaloApi"]


def methods(template: Template) -> list[tuple[str, str, Mapping[str, Any]]]:
    """(method, path, resource) of every method."""
    resources = template.find_resources("AWS::ApiGateway::Resource")

    def path(reference: dict[str, Any]) -> str:
        if "Fn::GetAtt" in reference:
            return ""
        properties = resources[reference["Ref"]]["Properties"]
        return f"{path(properties['ParentId'])}/{properties['PathPart']}"

    return [
        (one["Properties"]["HttpMethod"], path(one["Properties"]["ResourceId"]), one)
        for one in template.find_resources("AWS::ApiGateway::Method").values()
    ]


def routes(template: Template) -> set[tuple[str, str]]:
    """(method, path) of every method but the preflight ones."""
    return {(method, path) for method, path, _ in methods(template) if method != "OPTIONS"}


def test_the_routes_are_those_of_the_openapi_document(api: Template) -> None:
    document = json.loads(OPENAPI.read_text())
    described = {(method.upper(), path) for path, calls in document["paths"].items() for method in calls}
    assert routes(api) == described


def test_every_path_answers_preflights(api: Template) -> None:
    methods = [one["Properties"] for one in api.find_resources("AWS::ApiGateway::Method").values()]
    with_call = {json.dumps(one["ResourceId"]) for one in methods if one["HttpMethod"] != "OPTIONS"}
    with_preflight = {json.dumps(one["ResourceId"]) for one in methods if one["HttpMethod"] == "OPTIONS"}
    assert with_call <= with_preflight


def test_the_stage_is_named_api_and_throttled(api: Template) -> None:
    stages = list(api.find_resources("AWS::ApiGateway::Stage").values())
    assert [stage["Properties"]["StageName"] for stage in stages] == ["api"]
    limits = {
        (one["HttpMethod"], one["ResourcePath"]): (one["ThrottlingRateLimit"], one["ThrottlingBurstLimit"])
        for one in stages[0]["Properties"]["MethodSettings"]
    }
    assert limits == {
        ("*", "/*"): (100, 200),
        ("POST", "/~1jobs"): (20, 40),
        ("POST", "/~1jobs~1{id}~1retry"): (20, 40),
        # when a relay stops, thousands of clients open a stream within seconds
        ("GET", "/~1live"): (2000, 4000),
    }


def test_a_call_with_limits_of_its_own_is_logged_and_measured_like_the_others(api: Template) -> None:
    (stage,) = api.find_resources("AWS::ApiGateway::Stage").values()
    for one in stage["Properties"]["MethodSettings"]:
        assert (one["MetricsEnabled"], one["LoggingLevel"]) == (True, "ERROR")


def test_the_gateways_own_refusals_have_the_contracts_form_and_cors(api: Template) -> None:
    found = {
        one["Properties"]["ResponseType"]: one["Properties"]
        for one in api.find_resources("AWS::ApiGateway::GatewayResponse").values()
    }
    statuses = {"THROTTLED": 429, "INVALID_API_KEY": 403, "MISSING_AUTHENTICATION_TOKEN": 404}
    statuses |= {"REQUEST_TOO_LARGE": 413, "BAD_REQUEST_BODY": 400, "DEFAULT_4XX": 400, "DEFAULT_5XX": 500}
    assert {kind: int(found[kind]["StatusCode"]) for kind in statuses} == statuses
    for one in found.values():
        headers = one["ResponseParameters"]
        assert headers["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        body = json.loads(one["ResponseTemplates"]["application/json"])
        assert list(body) == ["type", "title", "status", "detail", "errors"]
        assert body["status"] == int(one["StatusCode"])
    assert found["THROTTLED"]["ResponseParameters"]["gatewayresponse.header.Retry-After"] == "'1'"


def test_the_firewall_stands_before_the_stage_and_lets_long_lists_of_jobs_pass(api: Template) -> None:
    (guard,) = api.find_resources("AWS::WAFv2::WebACLAssociation").values()
    assert "Stage" in json.dumps(guard["Properties"]["ResourceArn"])
    (acl,) = api.find_resources("AWS::WAFv2::WebACL").values()
    rules = {rule["Name"]: rule for rule in acl["Properties"]["Rules"]}
    assert set(rules) == {
        "Rate", "LargeBody", "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet",
    }  # fmt: skip
    assert rules["Rate"]["Statement"]["RateBasedStatement"]["Limit"] == 2000
    assert rules["Rate"]["Action"]["Block"]["CustomResponse"]["ResponseCode"] == 429
    common = rules["AWSManagedRulesCommonRuleSet"]["Statement"]["ManagedRuleGroupStatement"]
    counted = {rule["Name"]: rule["ActionToUse"] for rule in common["RuleActionOverrides"]}
    assert counted == {"SizeRestrictions_QUERYSTRING": {"Count": {}}}


def calls_with_key(template: Template) -> set[tuple[str, str]]:
    return {
        (method, path) for method, path, one in methods(template) if one["Properties"].get("ApiKeyRequired")
    }


def test_with_a_key_every_call_asks_for_it_but_preflights_and_the_stream() -> None:
    template = synth_stacks(api_key="true", web="false")["CaloApi"]
    assert calls_with_key(template) == routes(template) - {("GET", "/live")}
    assert "ApiKeyId" in template.to_json()["Outputs"]


def test_without_one_nobody_is_asked(api: Template) -> None:
    assert calls_with_key(api) == set()


def test_the_endpoint_is_regional_so_that_idle_streams_live(api: Template) -> None:
    (rest_api,) = api.find_resources("AWS::ApiGateway::RestApi").values()
    assert rest_api["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def live_integration(template: Template) -> dict[str, Any]:
    methods = [one["Properties"] for one in template.find_resources("AWS::ApiGateway::Method").values()]
    (live,) = [one["Integration"] for one in methods if one["Integration"]["Type"] == "HTTP_PROXY"]
    return dict(live)


def test_live_is_streamed_through_the_vpc_link(api: Template) -> None:
    live = live_integration(api)
    assert live["ResponseTransferMode"] == "STREAM"
    assert live["ConnectionType"] == "VPC_LINK"
    assert live["TimeoutInMillis"] == 15 * 60 * 1000
    assert read(api, live["ConnectionId"]) == "/calo/link-id"
    assert read(api, live["IntegrationTarget"]) == "/calo/load-balancer-arn"
    host = live["Uri"]["Fn::Join"][1]
    assert (host[0], read(api, host[1]), host[2]) == ("http://", "/calo/load-balancer-host", "/live")


def test_the_gateway_tells_the_relay_who_the_client_is(api: Template, templates: dict[str, Template]) -> None:
    (parameter,) = live_integration(api)["RequestParameters"].items()
    name, source = parameter
    assert source == "context.identity.sourceIp"
    (task,) = templates["CaloLive"].find_resources("AWS::ECS::TaskDefinition").values()
    command = task["Properties"]["ContainerDefinitions"][0]["Command"]
    assert name == f"integration.request.header.{command[command.index('--address-header') + 1]}"


def test_another_way_to_the_relay_is_another_deployment_of_the_stage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The overrides of the streaming integration are not part of CDK's own hash."""

    def deployment() -> str:
        (name,) = synth_stacks()["CaloApi"].find_resources("AWS::ApiGateway::Deployment")
        return name

    before = deployment()
    assert deployment() == before
    monkeypatch.setattr(live_route, "CONNECTION_TYPE", "INTERNET")
    assert deployment() != before


def test_the_link_is_kept_awake_by_a_request_a_day_that_the_relay_refuses(api: Template) -> None:
    """API Gateway removes the network interfaces of a link after 60 days without traffic."""
    (rule,) = api.find_resources("AWS::Events::Rule").values()
    assert rule["Properties"]["ScheduleExpression"] == "rate(1 day)"
    (target,) = rule["Properties"]["Targets"]
    assert target["Arn"]["Fn::Join"][1][-1] == "/api/GET/live"
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 0}
    query = {name: [value] for name, value in target["HttpParameters"]["QueryStringParameters"].items()}
    with pytest.raises(Refused) as refused:
        named_jobs(Request("GET", "/live", query, {}, True))
    assert refused.value.status == 400


def test_without_the_relay_no_link_is_kept_awake() -> None:
    assert synth_stacks(live="false")["CaloApi"].find_resources("AWS::Events::Rule") == {}


def test_the_access_logs_destination_is_the_log_group_itself(api: Template) -> None:
    """API Gateway refuses an ARN that ends in a wildcard."""
    (stage,) = api.find_resources("AWS::ApiGateway::Stage").values()
    destination = stage["Properties"]["AccessLogSetting"]["DestinationArn"]
    (group,) = [name for name in api.find_resources("AWS::Logs::LogGroup") if name.startswith("AccessLog")]
    assert destination["Fn::Join"][1][-1] == {"Ref": group}


def test_jobs_of_a_stream_are_named_with_commas() -> None:
    """The gateway does not promise to pass repeated parameters on."""
    parameters = json.loads(OPENAPI.read_text())["paths"]["/live"]["get"]["parameters"]
    (job,) = [one for one in parameters if one["name"] == "job"]
    assert (job["style"], job["explode"]) == ("form", False)
