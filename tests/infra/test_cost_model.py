"""The cost model's assumptions about a deployment match the templates of both sizes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from bench.cost import KINDS, MEMORY_GB, SIZES, STANDARD, Size
from infra.names import METRICS_NAMESPACE
from tests.conftest import synth_stacks, templates_of
from tests.declarations import declare

Templates = dict[str, Template]


@pytest.fixture(scope="module", params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def priced(size: str) -> Size:
    return SIZES[size]


@pytest.fixture(scope="module")
def deployed(size: str) -> Templates:
    return templates_of(size=size)


def properties_of(templates: Templates, kind: str) -> Iterator[dict[str, Any]]:
    for template in templates.values():
        yield from (resource["Properties"] for resource in template.find_resources(kind).values())


def count(templates: Templates, kind: str) -> int:
    return len(list(properties_of(templates, kind)))


def test_functions_have_the_priced_size(deployed: Templates, priced: Size) -> None:
    """CDK's own functions run only during a deployment."""
    functions = list(properties_of(deployed, "AWS::Lambda::Function"))
    sizes = {
        function["Handler"].split(".")[1]: function["MemorySize"] / 1024
        for function in functions
        if function["Handler"].startswith("functions.")
        # the model is one of photos
        and function["Environment"]["Variables"].get("KIND_MODULE", "kinds.photo") == "kinds.photo"
    }
    # these exist only with sign-in, see test_api_sign_in.py and test_live_sign_in.py
    sizes |= {name: MEMORY_GB[name] for name in ("authorizer", "create_ticket")}
    if not priced.webhooks:
        sizes |= {name: MEMORY_GB[name] for name in ("webhook_sender", "webhooks")}
    assert sizes == MEMORY_GB


def test_the_relay_has_the_priced_size(deployed: Templates, priced: Size) -> None:
    [task] = properties_of(deployed, "AWS::ECS::TaskDefinition")
    assert (int(task["Cpu"]), int(task["Memory"])) == (1024 * priced.vcpu, 1024 * priced.memory_gb)
    [service] = properties_of(deployed, "AWS::ECS::Service")
    assert service["DesiredCount"] == priced.tasks
    scaling = [
        (target["MinCapacity"], target["MaxCapacity"])
        for target in properties_of(deployed, "AWS::ApplicationAutoScaling::ScalableTarget")
    ]
    assert scaling == ([(priced.tasks, priced.max_tasks)] if priced.tasks < priced.max_tasks else [])
    [container] = task["ContainerDefinitions"]
    command = container["Command"]
    streams = int(command[command.index("--max-streams") + 1])
    assert priced.streams_per_task == (streams / 2 if scaling else streams)


def test_the_included_kinds_are_priced(deployed: Templates) -> None:
    queues = deployed["CaloJobs"].find_resources("AWS::SQS::Queue")
    assert len([name for name in queues if name.startswith("QueuesJobs")]) == KINDS


def test_resources_that_are_charged_per_item_are_counted(deployed: Templates, priced: Size) -> None:
    assert [len(acl["Rules"]) for acl in properties_of(deployed, "AWS::WAFv2::WebACL")] == (
        [priced.waf_rules] if priced.waf_rules else []
    )
    per_item = {
        "AWS::CloudWatch::Dashboard": priced.dashboards,
        "AWS::SecretsManager::Secret": 2 if priced.webhooks else 1,
        "AWS::EC2::NatGateway": priced.nat_gateways,
        "AWS::ElasticLoadBalancingV2::LoadBalancer": 1,
    }
    assert {kind: count(deployed, kind) for kind in per_item} == per_item
    [service] = properties_of(deployed, "AWS::ECS::Service")
    public = service["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "ENABLED"
    assert count(deployed, "AWS::EC2::EIP") + (priced.tasks if public else 0) == priced.addresses


def alarm_metrics(templates: Templates) -> int:
    """Return the number of metrics that alarms are charged for, including those in metric math."""
    return sum(
        len([query for query in alarm["Metrics"] if "MetricStat" in query]) if "Metrics" in alarm else 1
        for alarm in properties_of(templates, "AWS::CloudWatch::Alarm")
    )


def test_the_metrics_of_alarms_are_counted(size: str, deployed: Templates, priced: Size) -> None:
    without_live = alarm_metrics(templates_of(size=size, live="false"))
    assert (without_live, alarm_metrics(deployed) - without_live) == (
        priced.alarm_metrics,
        priced.live_alarm_metrics,
    )


def test_the_alarms_of_a_kind_and_a_budget_are_counted(
    tmp_path: Path, size: str, deployed: Templates, priced: Size
) -> None:
    before = alarm_metrics(deployed)
    (tmp_path / "words.py").write_text(declare("words"))
    with_kind = alarm_metrics(synth_stacks(size=size, kinds_folders=str(tmp_path)))
    assert with_kind - before == priced.kind_alarms
    (tmp_path / "more.py").write_text(declare("more", "budgets=(Budget('more', limit=5, seconds=10),)"))
    with_budget = alarm_metrics(synth_stacks(size=size, kinds_folders=str(tmp_path)))
    assert with_budget - with_kind == priced.kind_alarms + priced.budget_alarms


def test_only_the_standard_size_writes_custom_metrics(deployed: Templates, priced: Size) -> None:
    disabled = {
        function["Environment"]["Variables"].get("POWERTOOLS_METRICS_DISABLED")
        for function in properties_of(deployed, "AWS::Lambda::Function")
        if function["Handler"].startswith("functions.")
    }
    assert disabled == ({None} if priced.metrics else {"true"})
    watched = {alarm.get("Namespace") for alarm in properties_of(deployed, "AWS::CloudWatch::Alarm")}
    assert (METRICS_NAMESPACE in watched) == bool(priced.metrics) == (priced == STANDARD)
