"""CaloOps: every alarm notifies the topic and names its section of the runbook."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from infra.constructs.alarms import FEW
from tests.conftest import read, synth_stacks
from tests.unit.test_documents import anchors

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs" / "operations.md"


@pytest.fixture
def ops(templates: dict[str, Template]) -> Template:
    return templates["CaloOps"]


def alarms(template: Template) -> list[dict[str, Any]]:
    resources = template.find_resources("AWS::CloudWatch::Alarm").values()
    return [dict(alarm["Properties"]) for alarm in resources]


def test_every_alarm_names_an_existing_section_of_the_runbook(ops: Template) -> None:
    sections = anchors(OPERATIONS)
    named = set()
    for alarm in alarms(ops):
        match = re.fullmatch(r".+\. Runbook: docs/operations\.md#([a-z0-9-]+)", alarm["AlarmDescription"])
        assert match, alarm["AlarmDescription"]
        named.add(match[1])
    assert named - sections == set()
    assert len(named) > 10


def test_every_alarm_notifies_the_topic_and_treats_missing_data_as_ok(ops: Template) -> None:
    (topic,) = ops.find_resources("AWS::SNS::Topic")
    for alarm in alarms(ops):
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]
        assert alarm["TreatMissingData"] == "notBreaching"


def test_cloudwatch_may_publish_to_the_topic(ops: Template) -> None:
    ops.has_resource_properties(
        "AWS::SNS::TopicPolicy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {
                                "Action": "sns:Publish",
                                "Effect": "Allow",
                                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                            }
                        )
                    ]
                )
            }
        },
    )


def test_every_function_has_alarms_for_errors_and_throttles(templates: dict[str, Template]) -> None:
    ops = templates["CaloOps"]
    published = {
        parameter["Properties"]["Name"]
        for template in templates.values()
        for parameter in template.find_resources("AWS::SSM::Parameter").values()
        if "/function/" in parameter["Properties"]["Name"]
    }
    functions = [
        function
        for template in templates.values()
        for function in template.find_resources("AWS::Lambda::Function").values()
        if function["Properties"]["Handler"].startswith("functions.")
    ]
    assert len(published) == len(functions)
    for metric in ("Errors", "Throttles"):
        watched = [
            read(ops, alarm["Dimensions"][0]["Value"])
            for alarm in alarms(ops)
            if alarm.get("MetricName") == metric
        ]
        assert sorted(watched) == sorted(published)


def test_the_alarms_of_the_small_size_need_no_custom_metrics() -> None:
    small = synth_stacks(size="small", webhooks="true")
    few = alarms(small["CaloOps"])
    assert len(few) == len(FEW) + 2  # and one for each kind
    for alarm in few:
        assert '"Calo"' not in json.dumps([alarm.get("Namespace"), alarm.get("Metrics")])
    assert small["CaloOps"].find_resources("AWS::CloudWatch::Dashboard") == {}
    for template in small.values():
        for function in template.find_resources("AWS::Lambda::Function").values():
            if function["Properties"]["Handler"].startswith("functions."):
                variables = function["Properties"]["Environment"]["Variables"]
                assert variables["POWERTOOLS_METRICS_DISABLED"] == "true"
    (task,) = small["CaloLive"].find_resources("AWS::ECS::TaskDefinition").values()
    assert "--embedded-metrics" not in task["Properties"]["ContainerDefinitions"][0]["Command"]
    (stage,) = small["CaloApi"].find_resources("AWS::ApiGateway::Stage").values()
    assert {settings["MetricsEnabled"] for settings in stage["Properties"]["MethodSettings"]} == {False}
    (cluster,) = small["CaloLive"].find_resources("AWS::ECS::Cluster").values()
    assert cluster["Properties"]["ClusterSettings"] == [{"Name": "containerInsights", "Value": "disabled"}]


def test_latency_is_graphed_per_call_without_streams(ops: Template) -> None:
    (board,) = ops.find_resources("AWS::CloudWatch::Dashboard").values()
    body = json.dumps(board["Properties"]["DashboardBody"])
    latencies = body.count('\\"Latency\\"')
    assert latencies == body.count('\\"Latency\\",\\"ApiName\\",\\"Calo\\",\\"Method\\"') == 6
    assert "IntegrationLatency" not in body
    assert '\\"/live\\"' not in body


@pytest.mark.parametrize(
    ("metric", "namespace", "threshold"),
    [
        ("ApproximateAgeOfOldestMessage", "AWS/SQS", 1800),
        ("ApproximateNumberOfMessagesVisible", "AWS/SQS", 1),
        ("IteratorAge", "AWS/Lambda", 300_000),
        ("UnHealthyHostCount", "AWS/ApplicationELB", 1),
        ("5XXError", "AWS/ApiGateway", 5),
        ("JobsRescued", "Calo", 1),
        ("JobsLost", "Calo", 1),
        ("FeedLag", "Calo", 10),
    ],
)
def test_an_alarm_has_its_threshold(ops: Template, metric: str, namespace: str, threshold: int) -> None:
    matches = [alarm for alarm in alarms(ops) if alarm.get("MetricName") == metric]
    assert {alarm["Namespace"] for alarm in matches} == {namespace}
    assert threshold in {alarm["Threshold"] for alarm in matches}


def test_a_spent_budget_raises_an_alarm_after_an_hour(ops: Template) -> None:
    (alarm,) = [alarm for alarm in alarms(ops) if alarm.get("MetricName") == "BudgetRemaining"]
    assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == {
        "service": "job_worker",
        "budget": "unsplash",
    }
    assert alarm["Period"] * alarm["DatapointsToAlarm"] == 3600
    assert alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"]
    assert (alarm["Statistic"], alarm["ComparisonOperator"]) == ("Minimum", "LessThanOrEqualToThreshold")
    assert (alarm["Namespace"], alarm["Threshold"]) == ("Calo", 0)


def test_an_alarm_adds_up_all_failures_of_the_pipe(ops: Template) -> None:
    watched = [
        query["MetricStat"]["Metric"]["MetricName"]
        for alarm in alarms(ops)
        for query in alarm.get("Metrics", [])
        if query.get("MetricStat", {}).get("Metric", {}).get("Namespace") == "AWS/EventBridge/Pipes"
    ]
    assert set(watched) == {
        "ExecutionFailed", "ExecutionPartiallyFailed", "ExecutionTimeout", "ExecutionThrottled",
    }  # fmt: skip
    (alarm,) = [alarm for alarm in alarms(ops) if "ExecutionFailed" in str(alarm.get("Metrics"))]
    (expression,) = [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
    # without FILL a metric without data, such as throttles, would leave the sum without data
    assert expression.count("FILL(") == len(watched)


def test_an_alarm_adds_up_damaged_data_of_every_place(ops: Template) -> None:
    (alarm,) = [alarm for alarm in alarms(ops) if "damaged-data" in alarm["AlarmDescription"]]
    metrics = [query["MetricStat"]["Metric"] for query in alarm["Metrics"] if "MetricStat" in query]
    places = {metric["Dimensions"][0]["Value"] for metric in metrics}
    source = "".join(
        path.read_text()
        for path in (ROOT / "functions").rglob("*.py")
        if "sse_relay" not in path.parts  # its metric has the dimension `service`
    )
    assert places == {*re.findall(r'damaged\("([^"]+)"', source), "sse_relay"}
    (expression,) = [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
    assert expression.count("FILL(") == len(metrics) == 4


def test_the_dashboard_has_four_sections_and_shows_every_alarm(ops: Template) -> None:
    (board,) = ops.find_resources("AWS::CloudWatch::Dashboard").values()
    body = json.dumps(board["Properties"]["DashboardBody"])
    for question in (
        "Is it healthy?",
        "Where is it stuck?",
        "What does each kind do?",
        "Who is spending the budget?",
    ):
        assert question in body
    for name in ops.find_resources("AWS::CloudWatch::Alarm"):
        assert name in body


def test_a_configured_address_is_subscribed() -> None:
    ops = synth_stacks(live="false", alarm_email="operator@example.com")["CaloOps"]
    ops.has_resource_properties(
        "AWS::SNS::Subscription", {"Protocol": "email", "Endpoint": "operator@example.com"}
    )


def test_the_stack_can_be_omitted() -> None:
    assert "CaloOps" not in synth_stacks(live="false", ops="false")
