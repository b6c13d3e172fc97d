"""CaloApi: calls, stage and the streamed route."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

OPENAPI = Path(__file__).parents[2] / "functions" / "read_jobs" / "openapi.json"


@pytest.fixture
def api(templates: dict[str, Template]) -> Template:
    return templates["CaloApi"]


def routes(template: Template) -> set[tuple[str, str]]:
    """(method, path) of every method but the preflight ones."""
    resources = template.find_resources("AWS::ApiGateway::Resource")

    def path(reference: dict[str, Any]) -> str:
        if "Fn::GetAtt" in reference:
            return ""
        properties = resources[reference["Ref"]]["Properties"]
        return f"{path(properties['ParentId'])}/{properties['PathPart']}"

    methods = template.find_resources("AWS::ApiGateway::Method").values()
    found = {(one["Properties"]["HttpMethod"], path(one["Properties"]["ResourceId"])) for one in methods}
    return {(method, where) for method, where in found if method != "OPTIONS"}


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
    everything = stages[0]["Properties"]["MethodSettings"][0]
    assert (everything["ResourcePath"], everything["HttpMethod"]) == ("/*", "*")
    assert (everything["ThrottlingRateLimit"], everything["ThrottlingBurstLimit"]) == (100, 200)


def test_the_endpoint_is_regional_so_that_idle_streams_live(api: Template) -> None:
    (rest_api,) = api.find_resources("AWS::ApiGateway::RestApi").values()
    assert rest_api["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_live_is_streamed_through_the_vpc_link(api: Template) -> None:
    methods = [one["Properties"] for one in api.find_resources("AWS::ApiGateway::Method").values()]
    (live,) = [one["Integration"] for one in methods if one["Integration"]["Type"] == "HTTP_PROXY"]
    assert live["ResponseTransferMode"] == "STREAM"
    assert live["ConnectionType"] == "VPC_LINK"
    assert live["TimeoutInMillis"] == 15 * 60 * 1000
    assert "Link" in live["ConnectionId"]["Fn::ImportValue"]
    assert "LoadBalancer" in live["IntegrationTarget"]["Fn::ImportValue"]
    assert live["Uri"]["Fn::Join"][1][-1] == "/live"
