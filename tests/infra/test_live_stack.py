"""CaloLive: what keeps a stream open, and what ends it in order."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from functions.sse_relay.__main__ import arguments
from functions.sse_relay.ecs_task import POLL_SECONDS, TIMEOUT_SECONDS
from functions.sse_relay.signals import EmbeddedMetrics, Signals
from infra.stacks.live import ADDRESS_HEADER
from tests.conftest import app_of, synth_stacks

HEARTBEAT_SECONDS = 15


@pytest.fixture
def live(templates: dict[str, Template]) -> Template:
    return templates["CaloLive"]


def only(template: Template, kind: str) -> dict[str, Any]:
    (found,) = template.find_resources(kind).values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def test_the_load_balancer_is_internal_and_waits_longer_than_a_heartbeat(live: Template) -> None:
    balancer = only(live, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    attributes = {one["Key"]: one["Value"] for one in balancer["LoadBalancerAttributes"]}
    assert balancer["Scheme"] == "internal"
    assert int(attributes["idle_timeout.timeout_seconds"]) >= 120 > HEARTBEAT_SECONDS


def test_only_the_link_may_talk_to_the_load_balancer(live: Template) -> None:
    balancer = only(live, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    (group,) = [one["Fn::GetAtt"][0] for one in balancer["SecurityGroups"]]
    rules = [one["Properties"] for one in live.find_resources("AWS::EC2::SecurityGroupIngress").values()]
    sources = [rule["SourceSecurityGroupId"] for rule in rules if rule["GroupId"]["Fn::GetAtt"][0] == group]
    assert len(sources) == 1
    assert "LinkGroup" in sources[0]["Fn::GetAtt"][0]
    assert "SecurityGroupIngress" not in live.find_resources("AWS::EC2::SecurityGroup")[group]["Properties"]


def test_the_service_rolls_back_a_bad_deployment(live: Template) -> None:
    service = only(live, "AWS::ECS::Service")
    breaker = service["DeploymentConfiguration"]["DeploymentCircuitBreaker"]
    assert breaker == {"Enable": True, "Rollback": True}
    assert service["DeploymentConfiguration"]["MinimumHealthyPercent"] == 100


def test_the_relay_is_checked_and_scaled(live: Template) -> None:
    target = only(live, "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert target["HealthCheckPath"] == "/healthz"
    scalable = only(live, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert (scalable["MinCapacity"], scalable["MaxCapacity"]) == (2, 10)
    assert len(live.find_resources("AWS::ApplicationAutoScaling::ScalingPolicy")) == 2


def test_a_stopping_relay_gets_the_time_to_let_its_streams_go(live: Template) -> None:
    """ECS sends SIGTERM only after the deregistration delay, whose end breaks the connections."""
    (container,) = only(live, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    target = only(live, "AWS::ElasticLoadBalancingV2::TargetGroup")
    attributes = {one["Key"]: one["Value"] for one in target["TargetGroupAttributes"]}
    delay = int(attributes["deregistration_delay.timeout_seconds"])
    drain = int(option(container, "--drain-seconds"))
    assert 30 <= delay <= 60
    assert (
        drain + POLL_SECONDS + TIMEOUT_SECONDS + 5 <= delay
    )  # noticed late, and the last ones have time to close
    assert drain < container["StopTimeout"] <= 120
    names = {one["Name"] for one in container["Environment"]}
    assert {"TOPIC_ARN", "JOBS_TABLE", "QUEUE_PREFIX", "PORT"} <= names


def option(container: dict[str, Any], name: str) -> str:
    command = container["Command"]
    return str(command[command.index(name) + 1])


def test_the_files_that_a_task_may_open_are_fargates_own(live: Template) -> None:
    (container,) = only(live, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    assert "Ulimits" not in container
    assert int(option(container, "--max-streams")) < 65_535 / 2


@pytest.mark.parametrize(
    ("cpu", "architecture", "platform"),
    [("arm64", "ARM64", "linux/arm64"), ("x86_64", "X86_64", "linux/amd64")],
)
def test_the_image_is_built_for_the_processor_of_the_task(
    tmp_path: Path, cpu: str, architecture: str, platform: str
) -> None:
    app_of(str(tmp_path), relay_cpu=cpu).synth()
    template = json.loads((tmp_path / "CaloLive.template.json").read_text())
    (task,) = [one for one in template["Resources"].values() if one["Type"] == "AWS::ECS::TaskDefinition"]
    assert task["Properties"]["RuntimePlatform"]["CpuArchitecture"] == architecture
    assets = json.loads((tmp_path / "CaloLive.assets.json").read_text())
    assert [image["source"]["platform"] for image in assets["dockerImages"].values()] == [platform]


@pytest.mark.parametrize(("size", "subnets"), [("standard", "Private"), ("small", "Public")])
def test_the_service_waits_for_its_route_to_the_internet(size: str, subnets: str) -> None:
    live = synth_stacks(size=size)["CaloLive"]
    (service,) = live.find_resources("AWS::ECS::Service").values()
    routes = {name for name in live.find_resources("AWS::EC2::Route") if subnets in name}
    assert len(routes) == 2
    assert routes <= set(service["DependsOn"])


def test_without_a_nat_gateway_tasks_have_addresses_and_only_the_load_balancer_reaches_them() -> None:
    live = synth_stacks(size="small")["CaloLive"]
    assert live.find_resources("AWS::EC2::NatGateway") == {}
    service = only(live, "AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert service["AssignPublicIp"] == "ENABLED"
    (group,) = [one["Fn::GetAtt"][0] for one in service["SecurityGroups"]]
    rules = [one["Properties"] for one in live.find_resources("AWS::EC2::SecurityGroupIngress").values()]
    sources = [rule["SourceSecurityGroupId"] for rule in rules if rule["GroupId"]["Fn::GetAtt"][0] == group]
    assert ["LoadBalancer" in source["Fn::GetAtt"][0] for source in sources] == [True]
    assert "SecurityGroupIngress" not in live.find_resources("AWS::EC2::SecurityGroup")[group]["Properties"]
    balancer = only(live, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert balancer["Scheme"] == "internal"
    assert service["Subnets"] == balancer["Subnets"] == only(live, "AWS::ApiGatewayV2::VpcLink")["SubnetIds"]
    assert len(service["Subnets"]) == 2


def test_public_subnets_keep_their_addresses_whatever_the_number_of_nat_gateways(live: Template) -> None:
    """Two subnets with overlapping addresses cannot exist while one replaces the other."""

    def public(template: Template) -> dict[str, str]:
        found = template.find_resources("AWS::EC2::Subnet").items()
        return {name: one["Properties"]["CidrBlock"] for name, one in found if "Public" in name}

    assert public(live) == public(synth_stacks(nat_gateways="0")["CaloLive"])


def test_zones_can_be_named() -> None:
    live = synth_stacks(availability_zones="us-east-1c, us-east-1d")["CaloLive"]
    zones = {
        one["Properties"]["AvailabilityZone"] for one in live.find_resources("AWS::EC2::Subnet").values()
    }
    assert zones == {"us-east-1c", "us-east-1d"}


def test_the_relay_may_own_queues_of_its_name_only(live: Template) -> None:
    policies = live.find_resources("AWS::IAM::Policy")
    (name,) = [one for one in policies if one.startswith("TaskTaskRole")]
    statements = policies[name]["Properties"]["PolicyDocument"]["Statement"]
    by_action = {str(one["Action"]): one["Resource"] for one in statements}
    (queues,) = [where for action, where in by_action.items() if "sqs:CreateQueue" in action]
    assert queues["Fn::Join"][1][-1].endswith(":CaloRelay-*")
    assert [action for action, where in by_action.items() if where == "*"] == ["sns:Unsubscribe"]


def test_the_link_reaches_the_private_subnets(live: Template) -> None:
    link = only(live, "AWS::ApiGatewayV2::VpcLink")
    assert len(link["SubnetIds"]) == 2


def test_more_tasks_are_started_by_connections_which_the_relay_tells(live: Template) -> None:
    policies = [
        one["Properties"]
        for one in live.find_resources("AWS::ApplicationAutoScaling::ScalingPolicy").values()
    ]
    configurations = [one["TargetTrackingScalingPolicyConfiguration"] for one in policies]
    (custom,) = [one for one in configurations if "CustomizedMetricSpecification" in one]
    metric = custom["CustomizedMetricSpecification"]
    told = json.loads(EmbeddedMetrics("sse_relay", Signals()).line(0))
    (directive,) = told["_aws"]["CloudWatchMetrics"]
    assert metric["Namespace"] == directive["Namespace"]
    assert metric["MetricName"] in {one["Name"] for one in directive["Metrics"]}
    assert metric["Dimensions"] == [{"Name": "service", "Value": told["service"]}]
    (container,) = only(live, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    assert "--embedded-metrics" in container["Command"]
    assert custom["TargetValue"] < int(container["Command"][container["Command"].index("--max-streams") + 1])


def test_the_commands_options_are_the_relays(live: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    (container,) = only(live, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    monkeypatch.setattr(sys, "argv", ["relay", *container["Command"]])
    options = arguments()
    assert (options.embedded_metrics, options.trusted_proxies, options.feed) == (True, 0, "sqs")
    assert options.address_header == ADDRESS_HEADER


def test_whoever_outlives_a_task_removes_its_queue(live: Template) -> None:
    rule = only(live, "AWS::Events::Rule")
    assert rule["EventPattern"]["detail-type"] == ["ECS Task State Change"]
    assert rule["EventPattern"]["detail"]["lastStatus"] == ["STOPPED"]
    (cluster,) = rule["EventPattern"]["detail"]["clusterArn"]
    assert cluster["Fn::GetAtt"][0] in live.find_resources("AWS::ECS::Cluster")
    functions = live.find_resources("AWS::Lambda::Function")
    (janitor,) = [one for one in functions.values() if "relay_janitor" in one["Properties"]["Handler"]]
    (container,) = only(live, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    relay = {one["Name"]: one["Value"] for one in container["Environment"]}
    variables = janitor["Properties"]["Environment"]["Variables"]
    assert [variables[name] for name in ("QUEUE_PREFIX", "TOPIC_ARN")] == [
        relay["QUEUE_PREFIX"],
        relay["TOPIC_ARN"],
    ]
