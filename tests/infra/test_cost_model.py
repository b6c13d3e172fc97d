"""What the model of cost assumes of a deployment is what the templates deploy."""

from collections.abc import Iterator
from typing import Any

from aws_cdk.assertions import Template

from bench.cost import (
    ALARMS,
    LIVE_ALARMS,
    MEMORY_GB,
    MIN_TASKS,
    STREAMS_PER_TASK,
    TASK_MEMORY_GB,
    TASK_VCPU,
    WAF_RULES,
)

Templates = dict[str, Template]


def found(templates: Templates, kind: str) -> Iterator[dict[str, Any]]:
    for template in templates.values():
        yield from (one["Properties"] for one in template.find_resources(kind).values())


def test_the_functions_are_of_the_size_that_is_priced(templates: Templates) -> None:
    """CDK's own functions run while deploying only."""
    functions = list(found(templates, "AWS::Lambda::Function"))
    sizes = {
        one["Handler"].split(".")[1]: one["MemorySize"] / 1024
        for one in functions
        if one["Handler"].startswith("functions.")
    }
    assert sizes == MEMORY_GB


def test_the_relay_is_of_the_size_that_is_priced(templates: Templates) -> None:
    [task] = found(templates, "AWS::ECS::TaskDefinition")
    assert (int(task["Cpu"]), int(task["Memory"])) == (1024 * TASK_VCPU, 1024 * TASK_MEMORY_GB)
    [scaling] = found(templates, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert scaling["MinCapacity"] == MIN_TASKS
    targets = [
        one["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
        for one in found(templates, "AWS::ApplicationAutoScaling::ScalingPolicy")
    ]
    assert STREAMS_PER_TASK in targets


def test_what_is_charged_by_the_piece_is_counted(templates: Templates) -> None:
    [acl] = found(templates, "AWS::WAFv2::WebACL")
    assert len(acl["Rules"]) == WAF_RULES
    by_the_piece = {
        "AWS::CloudWatch::Alarm": ALARMS + LIVE_ALARMS,
        "AWS::CloudWatch::Dashboard": 1,
        "AWS::SecretsManager::Secret": 1,
        "AWS::EC2::NatGateway": 1,
        "AWS::EC2::EIP": 1,
        "AWS::ElasticLoadBalancingV2::LoadBalancer": 1,
    }
    assert {kind: len(list(found(templates, kind))) for kind in by_the_piece} == by_the_piece
