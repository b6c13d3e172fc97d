"""What the model of cost assumes of a deployment is what the templates deploy, for both sizes."""

from collections.abc import Iterator
from typing import Any

import pytest
from aws_cdk.assertions import Template

from bench.cost import MEMORY_GB, SIZES, STANDARD, Size
from infra.names import METRICS_NAMESPACE
from tests.conftest import synth_stacks

Templates = dict[str, Template]


@pytest.fixture(scope="module", params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def priced(size: str) -> Size:
    return SIZES[size]


@pytest.fixture(scope="module")
def deployed(size: str) -> Templates:
    return synth_stacks(size=size)


def found(templates: Templates, kind: str) -> Iterator[dict[str, Any]]:
    for template in templates.values():
        yield from (one["Properties"] for one in template.find_resources(kind).values())


def count(templates: Templates, kind: str) -> int:
    return len(list(found(templates, kind)))


def test_the_functions_are_of_the_size_that_is_priced(deployed: Templates) -> None:
    """CDK's own functions run while deploying only."""
    functions = list(found(deployed, "AWS::Lambda::Function"))
    sizes = {
        one["Handler"].split(".")[1]: one["MemorySize"] / 1024
        for one in functions
        if one["Handler"].startswith("functions.")
    }
    assert sizes == MEMORY_GB


def test_the_relay_is_of_the_size_that_is_priced(deployed: Templates, priced: Size) -> None:
    [task] = found(deployed, "AWS::ECS::TaskDefinition")
    assert (int(task["Cpu"]), int(task["Memory"])) == (1024 * priced.vcpu, 1024 * priced.memory_gb)
    [service] = found(deployed, "AWS::ECS::Service")
    assert service["DesiredCount"] == priced.tasks
    scaling = [
        (one["MinCapacity"], one["MaxCapacity"])
        for one in found(deployed, "AWS::ApplicationAutoScaling::ScalableTarget")
    ]
    assert scaling == ([(priced.tasks, priced.max_tasks)] if priced.tasks < priced.max_tasks else [])
    [container] = task["ContainerDefinitions"]
    command = container["Command"]
    streams = int(command[command.index("--max-streams") + 1])
    assert priced.streams_per_task == (streams / 2 if scaling else streams)


def test_what_is_charged_by_the_piece_is_counted(deployed: Templates, priced: Size) -> None:
    assert [len(acl["Rules"]) for acl in found(deployed, "AWS::WAFv2::WebACL")] == (
        [priced.waf_rules] if priced.waf_rules else []
    )
    by_the_piece = {
        "AWS::CloudWatch::Dashboard": priced.dashboards,
        "AWS::SecretsManager::Secret": 1,
        "AWS::EC2::NatGateway": priced.nat_gateways,
        "AWS::ElasticLoadBalancingV2::LoadBalancer": 1,
    }
    assert {kind: count(deployed, kind) for kind in by_the_piece} == by_the_piece
    [service] = found(deployed, "AWS::ECS::Service")
    public = service["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "ENABLED"
    assert count(deployed, "AWS::EC2::EIP") + (priced.tasks if public else 0) == priced.addresses


def alarm_metrics(templates: Templates) -> int:
    """Each metric of an alarm is charged, also those that it calculates with."""
    return sum(
        len([query for query in one["Metrics"] if "MetricStat" in query]) if "Metrics" in one else 1
        for one in found(templates, "AWS::CloudWatch::Alarm")
    )


def test_the_metrics_of_alarms_are_counted(size: str, deployed: Templates, priced: Size) -> None:
    without_live = alarm_metrics(synth_stacks(size=size, live="false"))
    assert (without_live, alarm_metrics(deployed) - without_live) == (
        priced.alarm_metrics,
        priced.live_alarm_metrics,
    )


def test_only_the_standard_size_writes_custom_metrics(deployed: Templates, priced: Size) -> None:
    disabled = {
        one["Environment"]["Variables"].get("POWERTOOLS_METRICS_DISABLED")
        for one in found(deployed, "AWS::Lambda::Function")
        if one["Handler"].startswith("functions.")
    }
    assert disabled == ({None} if priced.metrics else {"true"})
    watched = {one.get("Namespace") for one in found(deployed, "AWS::CloudWatch::Alarm")}
    assert (METRICS_NAMESPACE in watched) == bool(priced.metrics) == (priced == STANDARD)
