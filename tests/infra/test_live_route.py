"""The route of the live stream in CaloApi, through the private link to the relay."""

import json
from typing import Any

import pytest
from aws_cdk.assertions import Template

from functions.sse_relay.http.request import Refused, Request
from functions.sse_relay.subscription import parse_job_ids
from infra.constructs import live_route
from tests.conftest import read, synth_stacks
from tests.infra.test_api_stack import CONTRACT, methods


@pytest.fixture
def api(templates: dict[str, Template]) -> Template:
    return templates["CaloApi"]


def live_integration(template: Template, method: str = "GET") -> dict[str, Any]:
    (live,) = [
        each["Properties"]["Integration"]
        for name, path, each in methods(template)
        if (name, path) == (method, "/live")
    ]
    return dict(live)


def test_live_is_streamed_through_the_vpc_link(api: Template) -> None:
    live, head = live_integration(api), live_integration(api, "HEAD")
    for name in ("Type", "ConnectionType", "ConnectionId", "IntegrationTarget", "Uri", "RequestParameters"):
        assert live[name] == head[name]
    assert (live["IntegrationHttpMethod"], head["IntegrationHttpMethod"]) == ("GET", "HEAD")
    assert live["ResponseTransferMode"] == "STREAM"
    assert "ResponseTransferMode" not in head
    assert live["ConnectionType"] == "VPC_LINK"
    assert live["TimeoutInMillis"] == 15 * 60 * 1000
    assert read(api, live["ConnectionId"]) == "/calo/link-id"
    assert read(api, live["IntegrationTarget"]) == "/calo/load-balancer-arn"
    host = live["Uri"]["Fn::Join"][1]
    assert (host[0], read(api, host[1]), host[2]) == ("http://", "/calo/load-balancer-host", "/live")


def test_the_gateway_passes_the_clients_address_to_the_relay(
    api: Template, templates: dict[str, Template]
) -> None:
    (parameter,) = live_integration(api)["RequestParameters"].items()
    name, source = parameter
    assert source == "context.identity.sourceIp"
    (task,) = templates["CaloLive"].find_resources("AWS::ECS::TaskDefinition").values()
    command = task["Properties"]["ContainerDefinitions"][0]["Command"]
    assert name == f"integration.request.header.{command[command.index('--address-header') + 1]}"


def test_changing_the_live_integration_creates_a_new_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    """CDK's own hash of the deployment does not include the property overrides of the integration."""

    def deployment() -> str:
        (name,) = synth_stacks(web="false", ops="false")["CaloApi"].find_resources(
            "AWS::ApiGateway::Deployment"
        )
        return name

    before = deployment()
    assert deployment() == before
    monkeypatch.setattr(live_route, "CONNECTION_TYPE", "INTERNET")
    assert deployment() != before


def test_a_daily_request_that_the_relay_rejects_keeps_the_link_active(api: Template) -> None:
    """API Gateway deletes the network interfaces of a link after 60 days without traffic."""
    (rule,) = api.find_resources("AWS::Events::Rule").values()
    assert rule["Properties"]["ScheduleExpression"] == "rate(1 day)"
    (target,) = rule["Properties"]["Targets"]
    assert target["Arn"]["Fn::Join"][1][-1] == "/api/GET/live"
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 0}
    query = {name: [value] for name, value in target["HttpParameters"]["QueryStringParameters"].items()}
    with pytest.raises(Refused) as refused:
        parse_job_ids(Request("GET", "/live", query, {}, True))
    assert refused.value.status == 400


def test_without_the_relay_there_is_no_daily_request() -> None:
    assert (
        synth_stacks(live="false", web="false", ops="false")["CaloApi"].find_resources("AWS::Events::Rule")
        == {}
    )


def test_job_ids_of_a_stream_are_separated_by_commas() -> None:
    """API Gateway does not guarantee that it forwards repeated parameters."""
    parameters = json.loads(CONTRACT.read_text())["paths"]["/live"]["get"]["parameters"]
    (job,) = [parameter for parameter in parameters if parameter["name"] == "job"]
    assert (job["style"], job["explode"]) == ("form", False)
