"""CaloOps: every alarm reaches somebody and says where its runbook is."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from infra.constructs.alarms import FEW
from tests.conftest import read, synth_stacks

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


@pytest.fixture
def ops(templates: dict[str, Template]) -> Template:
    return templates["CaloOps"]


def alarms(template: Template) -> list[dict[str, Any]]:
    found = template.find_resources("AWS::CloudWatch::Alarm").values()
    return [dict(one["Properties"]) for one in found]


def anchors(markdown: str) -> set[str]:
    """Of its headings, as they are made for links to them."""
    headings = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", text.lower()).replace(" ", "-") for text in headings}


def test_every_alarm_names_a_section_of_the_runbook_that_is_there(ops: Template) -> None:
    known = anchors(OPERATIONS.read_text())
    named = set()
    for one in alarms(ops):
        found = re.fullmatch(r".+\. Runbook: docs/operations\.md#([a-z0-9-]+)", one["AlarmDescription"])
        assert found, one["AlarmDescription"]
        named.add(found[1])
    assert named - known == set()
    assert len(named) > 10


def test_every_alarm_tells_the_topic_and_takes_silence_for_good_news(ops: Template) -> None:
    (topic,) = ops.find_resources("AWS::SNS::Topic")
    for one in alarms(ops):
        assert one["AlarmActions"] == one["OKActions"] == [{"Ref": topic}]
        assert one["TreatMissingData"] == "notBreaching"


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


def test_every_function_is_watched_for_errors_and_for_throttles(templates: dict[str, Template]) -> None:
    ops = templates["CaloOps"]
    published = {
        parameter["Properties"]["Name"]
        for template in templates.values()
        for parameter in template.find_resources("AWS::SSM::Parameter").values()
        if "/function/" in parameter["Properties"]["Name"]
    }
    functions = [
        one
        for template in templates.values()
        for one in template.find_resources("AWS::Lambda::Function").values()
        if one["Properties"]["Handler"].startswith("functions.")
    ]
    assert len(published) == len(functions)
    for metric in ("Errors", "Throttles"):
        watched = [
            read(ops, one["Dimensions"][0]["Value"]) for one in alarms(ops) if one.get("MetricName") == metric
        ]
        assert sorted(watched) == sorted(published)


def test_the_few_alarms_of_the_small_size_need_no_custom_metric() -> None:
    small = synth_stacks(size="small")
    found = alarms(small["CaloOps"])
    assert len(found) == len(FEW) == 10
    assert not [one for one in found if '"Calo"' in json.dumps([one.get("Namespace"), one.get("Metrics")])]
    assert small["CaloOps"].find_resources("AWS::CloudWatch::Dashboard") == {}
    for template in small.values():
        for one in template.find_resources("AWS::Lambda::Function").values():
            if one["Properties"]["Handler"].startswith("functions."):
                variables = one["Properties"]["Environment"]["Variables"]
                assert variables["POWERTOOLS_METRICS_DISABLED"] == "true"
    (task,) = small["CaloLive"].find_resources("AWS::ECS::TaskDefinition").values()
    assert "--embedded-metrics" not in task["Properties"]["ContainerDefinitions"][0]["Command"]
    (stage,) = small["CaloApi"].find_resources("AWS::ApiGateway::Stage").values()
    assert {one["MetricsEnabled"] for one in stage["Properties"]["MethodSettings"]} == {False}
    (cluster,) = small["CaloLive"].find_resources("AWS::ECS::Cluster").values()
    assert cluster["Properties"]["ClusterSettings"] == [{"Name": "containerInsights", "Value": "disabled"}]


def test_latency_is_graphed_by_call_and_without_the_streams(ops: Template) -> None:
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
        ("BudgetRemaining", "Calo", 0),
        ("FeedLag", "Calo", 10),
    ],
)
def test_what_is_watched(ops: Template, metric: str, namespace: str, threshold: int) -> None:
    found = [one for one in alarms(ops) if one.get("MetricName") == metric]
    assert {one["Namespace"] for one in found} == {namespace}
    assert threshold in {one["Threshold"] for one in found}


def test_a_spent_budget_is_an_alarm_after_an_hour_and_not_before(ops: Template) -> None:
    (one,) = [one for one in alarms(ops) if one.get("MetricName") == "BudgetRemaining"]
    assert one["Period"] * one["DatapointsToAlarm"] == 3600
    assert one["DatapointsToAlarm"] == one["EvaluationPeriods"]
    assert (one["Statistic"], one["ComparisonOperator"]) == ("Minimum", "LessThanOrEqualToThreshold")


def test_failures_of_the_pipe_are_watched(ops: Template) -> None:
    watched = [
        query["MetricStat"]["Metric"]["MetricName"]
        for one in alarms(ops)
        for query in one.get("Metrics", [])
        if query.get("MetricStat", {}).get("Metric", {}).get("Namespace") == "AWS/EventBridge/Pipes"
    ]
    assert set(watched) == {
        "ExecutionFailed", "ExecutionPartiallyFailed", "ExecutionTimeout", "ExecutionThrottled",
    }  # fmt: skip
    (alarm,) = [one for one in alarms(ops) if "ExecutionFailed" in str(one.get("Metrics"))]
    (expression,) = [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
    # one without data, like a throttle that never happened, would leave the sum without data
    assert expression.count("FILL(") == len(watched)


def test_the_dashboard_asks_the_three_questions_and_shows_every_alarm(ops: Template) -> None:
    (board,) = ops.find_resources("AWS::CloudWatch::Dashboard").values()
    body = json.dumps(board["Properties"]["DashboardBody"])
    for question in ("Is it healthy?", "Where is it stuck?", "Who is spending the budget?"):
        assert question in body
    for name in ops.find_resources("AWS::CloudWatch::Alarm"):
        assert name in body


def test_an_address_that_is_set_is_told() -> None:
    ops = synth_stacks(live="false", alarm_email="somebody@example.com")["CaloOps"]
    ops.has_resource_properties(
        "AWS::SNS::Subscription", {"Protocol": "email", "Endpoint": "somebody@example.com"}
    )


def test_it_can_be_left_out() -> None:
    assert "CaloOps" not in synth_stacks(live="false", ops="false")
