"""What removes the queue of a relay's task that could not do so itself."""

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

QUEUE_PREFIX = "CaloRelay-"


def add_janitor(
    stack: Stack, *, topic: str, cluster: ecs.ICluster, undelivered: sqs.Queue, metrics: bool
) -> CaloFunction:
    """Called when ECS reports that a task has ended. Events it fails to handle go to `undelivered`."""
    janitor = CaloFunction(
        stack,
        "RelayJanitor",
        name="relay_janitor",
        environment={"TOPIC_ARN": topic, "QUEUE_PREFIX": QUEUE_PREFIX},
        timeout=30,
        metrics=metrics,
        dead_letters=undelivered,
    )
    janitor.may(["sqs:GetQueueUrl", "sqs:DeleteQueue"], relay_queues(stack))
    janitor.may(["sns:ListSubscriptionsByTopic"], topic)
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
    """The ARN of every relay's queue."""
    return stack.format_arn(service="sqs", resource=f"{QUEUE_PREFIX}*")


def unsubscribe() -> iam.PolicyStatement:
    """Subscriptions are no resource that a policy could name:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html"""
    return iam.PolicyStatement(actions=["sns:Unsubscribe"], resources=["*"])


def acknowledge_relay_queues(role: IConstruct) -> None:
    """Both the relay and its janitor deal with queues that are named at run time."""
    pattern = f"arn:<AWS::Partition>:sqs:<AWS::Region>:<AWS::AccountId>:{QUEUE_PREFIX}*"
    acknowledge(
        role,
        {
            f"AwsSolutions-IAM5[Resource::{pattern}]": "Each task makes a queue of its own and names it "
            "after itself, so the prefix is all that is known before. No other queue bears it."
        },
    )
