"""The function that deletes the queue of a relay task that ended without deleting it."""

from typing import cast

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import IConstruct

from infra.constructs.acknowledgements import acknowledge
from infra.constructs.functions import CaloFunction
from infra.names import RELAY_QUEUE_PREFIX
from infra.tools.bundle import Bundles


def add_janitor(
    stack: Stack,
    *,
    topic: str,
    cluster: ecs.ICluster,
    undelivered: sqs.Queue,
    bundles: Bundles,
    metrics: bool,
) -> CaloFunction:
    """Add a function that runs when a task has stopped. Events that it cannot handle go to `undelivered`."""
    janitor = CaloFunction(
        stack,
        "RelayJanitor",
        name="relay_janitor",
        bundles=bundles,
        environment={"TOPIC_ARN": topic, "QUEUE_PREFIX": RELAY_QUEUE_PREFIX},
        timeout=30,
        metrics=metrics,
        dead_letters=undelivered,
    )
    janitor.allow(["sqs:GetQueueUrl", "sqs:DeleteQueue"], relay_queues(stack))
    janitor.allow(["sns:ListSubscriptionsByTopic"], topic)
    janitor.add_to_role_policy(unsubscribe())
    acknowledge_relay_queues(cast(IConstruct, janitor.role))
    events.Rule(
        stack,
        "TaskStopped",
        description="A relay's task has ended",
        event_pattern=events.EventPattern(
            source=["aws.ecs"],
            detail_type=["ECS Task State Change"],
            detail={"clusterArn": [cluster.cluster_arn], "lastStatus": ["STOPPED"]},
        ),
        targets=[targets.LambdaFunction(janitor, dead_letter_queue=undelivered)],
    )
    return janitor


def relay_queues(stack: Stack) -> str:
    """Return an ARN pattern for the queues of all relays."""
    return stack.format_arn(service="sqs", resource=f"{RELAY_QUEUE_PREFIX}*")


def unsubscribe() -> iam.PolicyStatement:
    """Return a statement that allows to unsubscribe. The action does not support resource-level permissions:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html"""
    return iam.PolicyStatement(actions=["sns:Unsubscribe"], resources=["*"])


def acknowledge_relay_queues(role: IConstruct) -> None:
    """Accept the wildcard in the ARN of the relays' queues, whose names are only known at run time."""
    pattern = f"arn:<AWS::Partition>:sqs:<AWS::Region>:<AWS::AccountId>:{RELAY_QUEUE_PREFIX}*"
    acknowledge(
        role,
        {
            f"AwsSolutions-IAM5[Resource::{pattern}]": "Each task creates a queue that is named after the "
            "task, so only the prefix is known in advance. Other queues do not have this prefix."
        },
    )
