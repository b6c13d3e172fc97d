"""CaloLive: settings that keep streams open, and the order in which streams and tasks end."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from functions.sse_relay.__main__ import arguments
from functions.sse_relay.ecs_task import POLL_SECONDS, TIMEOUT_SECONDS
from functions.sse_relay.embedded_metrics import EmbeddedMetrics, EmbeddedMetricsSettings
from functions.sse_relay.metrics import RelayMetrics
from infra.constructs.live_route import ADDRESS_HEADER
from infra.names import METRICS_NAMESPACE
from tests.conftest import app_of, synth_stacks, templates_of

HEARTBEAT_SECONDS = 15


@pytest.fixture
def live(templates: dict[str, Template]) -> Template:
    return templates["CaloLive"]


def only(template: Template, type_: str) -> dict[str, Any]:
    """Return the properties of the only resource of this type."""
    (resource,) = all_of(template, type_)
    return resource


def all_of(template: Template, type_: str) -> list[dict[str, Any]]:
    """Return the properties of all resources of this type."""
    return [dict(resource["Properties"]) for resource in template.find_resources(type_).values()]


def as_dict(pairs: list[dict[str, str]], key: str = "Key") -> dict[str, str]:
    return {pair[key]: pair["Value"] for pair in pairs}


def ingress_sources(template: Template, group: str) -> list[str]:
    """Return the logical ids of the security groups from which this group accepts connections."""
    rules = all_of(template, "AWS::EC2::SecurityGroupIngress")
    return [
        rule["SourceSecurityGroupId"]["Fn::GetAtt"][0]
        for rule in rules
        if rule["GroupId"]["Fn::GetAtt"][0] == group
    ]


def test_the_load_balancers_idle_timeout_is_longer_than_a_heartbeat(live: Template) -> None:
    balancer = only(live, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    attributes = as_dict(balancer["LoadBalancerAttributes"])
    assert balancer["Scheme"] == "internal"
    assert int(attributes["idle_timeout.timeout_seconds"]) >= 120 > HEARTBEAT_SECONDS


def test_only_the_link_may_connect_to_the_load_balancer(live: Template) -> None:
    balancer = only(live, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    (group,) = [reference["Fn::GetAtt"][0] for reference in balancer["SecurityGroups"]]
    (source,) = ingress_sources(live, group)
    assert "LinkGroup" in source
    assert "SecurityGroupIngress" not in live.find_resources("AWS::EC2::SecurityGroup")[group]["Properties"]


def test_the_service_rolls_back_a_failed_deployment(live: Template) -> None:
    service = only(live, "AWS::ECS::Service")
    breaker = service["DeploymentConfiguration"]["DeploymentCircuitBreaker"]
    assert breaker == {"Enable": True, "Rollback": True}
    assert service["DeploymentConfiguration"]["MinimumHealthyPercent"] == 100


def test_the_relay_has_a_health_check_and_autoscaling(live: Template) -> None:
    target = only(live, "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert target["HealthCheckPath"] == "/healthz"
    scalable = only(live, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert (scalable["MinCapacity"], scalable["MaxCapacity"]) == (2, 10)
    assert len(live.find_resources("AWS::ApplicationAutoScaling::ScalingPolicy")) == 2


def test_a_stopping_relay_has_enough_time_to_close_its_streams(live: Template) -> None:
    """ECS sends SIGTERM after the deregistration delay, when the load balancer closes all connections."""
    (container,) = only(live, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    target = only(live, "AWS::ElasticLoadBalancingV2::TargetGroup")
    attributes = as_dict(target["TargetGroupAttributes"])
    delay = int(attributes["deregistration_delay.timeout_seconds"])
    drain = int(option(container, "--drain-seconds"))
    assert 30 <= delay <= 60
    # the relay may notice late that it is stopping, and the last streams need time to close
    assert drain + POLL_SECONDS + TIMEOUT_SECONDS + 5 <= delay
    assert drain < container["StopTimeout"] <= 120


def option(container: dict[str, Any], name: str) -> str:
    command = container["Command"]
    return str(command[command.index(name) + 1])


def test_a_task_uses_fargates_default_limit_of_open_files(live: Template) -> None:
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
    resources = template["Resources"].values()
    (task,) = [resource for resource in resources if resource["Type"] == "AWS::ECS::TaskDefinition"]
    assert task["Properties"]["RuntimePlatform"]["CpuArchitecture"] == architecture
    assets = json.loads((tmp_path / "CaloLive.assets.json").read_text())
    assert [image["source"]["platform"] for image in assets["dockerImages"].values()] == [platform]


@pytest.mark.parametrize(("size", "subnets"), [("standard", "Private"), ("small", "Public")])
def test_the_service_depends_on_its_route_to_the_internet(size: str, subnets: str) -> None:
    live = templates_of(size=size)["CaloLive"]
    (service,) = live.find_resources("AWS::ECS::Service").values()
    routes = {name for name in live.find_resources("AWS::EC2::Route") if subnets in name}
    assert len(routes) == 2
    assert routes <= set(service["DependsOn"])


def test_without_a_nat_gateway_tasks_have_public_addresses_but_accept_only_the_load_balancer() -> None:
    live = templates_of(size="small")["CaloLive"]
    assert live.find_resources("AWS::EC2::NatGateway") == {}
    service = only(live, "AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert service["AssignPublicIp"] == "ENABLED"
    (group,) = [reference["Fn::GetAtt"][0] for reference in service["SecurityGroups"]]
    (source,) = ingress_sources(live, group)
    assert "LoadBalancer" in source
    assert "SecurityGroupIngress" not in live.find_resources("AWS::EC2::SecurityGroup")[group]["Properties"]
    balancer = only(live, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert balancer["Scheme"] == "internal"
    assert service["Subnets"] == balancer["Subnets"] == only(live, "AWS::ApiGatewayV2::VpcLink")["SubnetIds"]
    assert len(service["Subnets"]) == 2


def test_public_subnets_keep_their_address_ranges_when_the_nat_gateways_change(live: Template) -> None:
    """During a replacement both subnets exist, and their address ranges must not overlap."""

    def public(template: Template) -> dict[str, str]:
        subnets = template.find_resources("AWS::EC2::Subnet").items()
        return {name: subnet["Properties"]["CidrBlock"] for name, subnet in subnets if "Public" in name}

    assert public(live) == public(synth_stacks(nat_gateways="0")["CaloLive"])


def test_zones_can_be_named() -> None:
    live = synth_stacks(availability_zones="us-east-1c, us-east-1d")["CaloLive"]
    zones = {subnet["AvailabilityZone"] for subnet in all_of(live, "AWS::EC2::Subnet")}
    assert zones == {"us-east-1c", "us-east-1d"}


def test_the_relay_may_manage_only_queues_with_its_prefix(live: Template) -> None:
    policies = live.find_resources("AWS::IAM::Policy")
    (name,) = [name for name in policies if name.startswith("TaskTaskRole")]
    statements = policies[name]["Properties"]["PolicyDocument"]["Statement"]
    by_action = {str(statement["Action"]): statement["Resource"] for statement in statements}
    (queues,) = [resource for action, resource in by_action.items() if "sqs:CreateQueue" in action]
    assert queues["Fn::Join"][1][-1].endswith(":CaloRelay-*")
    assert [action for action, resource in by_action.items() if resource == "*"] == ["sns:Unsubscribe"]


def test_the_link_uses_both_private_subnets(live: Template) -> None:
    link = only(live, "AWS::ApiGatewayV2::VpcLink")
    assert len(link["SubnetIds"]) == 2


def test_autoscaling_uses_the_connections_metric_that_the_relay_writes(live: Template) -> None:
    policies = all_of(live, "AWS::ApplicationAutoScaling::ScalingPolicy")
    configurations = [policy["TargetTrackingScalingPolicyConfiguration"] for policy in policies]
    (custom,) = [
        configuration for configuration in configurations if "CustomizedMetricSpecification" in configuration
    ]
    metric = custom["CustomizedMetricSpecification"]
    settings = EmbeddedMetricsSettings(METRICS_NAMESPACE, "sse_relay")
    written = json.loads(EmbeddedMetrics(settings, RelayMetrics()).line(0))
    (directive,) = written["_aws"]["CloudWatchMetrics"]
    assert metric["Namespace"] == directive["Namespace"]
    assert metric["MetricName"] in {definition["Name"] for definition in directive["Metrics"]}
    assert metric["Dimensions"] == [{"Name": "service", "Value": written["service"]}]
    (container,) = only(live, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    assert "--embedded-metrics" in container["Command"]
    assert custom["TargetValue"] < int(option(container, "--max-streams"))


def test_the_relay_accepts_the_options_of_the_command(
    live: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    (container,) = only(live, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    monkeypatch.setattr(sys, "argv", ["relay", *container["Command"]])
    options = arguments()
    assert (options.embedded_metrics, options.trusted_proxies, options.feed) == (True, 0, "sqs")
    assert options.address_header == ADDRESS_HEADER


def test_the_janitor_runs_for_stopped_tasks_and_knows_the_queue_prefix(live: Template) -> None:
    rule = only(live, "AWS::Events::Rule")
    assert rule["EventPattern"]["detail-type"] == ["ECS Task State Change"]
    assert rule["EventPattern"]["detail"]["lastStatus"] == ["STOPPED"]
    (cluster,) = rule["EventPattern"]["detail"]["clusterArn"]
    assert cluster["Fn::GetAtt"][0] in live.find_resources("AWS::ECS::Cluster")
    functions = live.find_resources("AWS::Lambda::Function")
    (janitor,) = [
        function for function in functions.values() if "relay_janitor" in function["Properties"]["Handler"]
    ]
    (container,) = only(live, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    relay = as_dict(container["Environment"], key="Name")
    variables = janitor["Properties"]["Environment"]["Variables"]
    assert [variables[name] for name in ("QUEUE_PREFIX", "TOPIC_ARN")] == [
        relay["QUEUE_PREFIX"],
        relay["TOPIC_ARN"],
    ]
