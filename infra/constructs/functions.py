"""The Lambda functions, which share a code bundle and one base configuration."""

from typing import cast

from aws_cdk import CfnResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.acknowledgements import acknowledge
from infra.names import METRICS_NAMESPACE
from infra.tools.bundle import Bundles

LOG_RETENTION = logs.RetentionDays.ONE_MONTH


class CaloFunction(lambda_.Function):
    """A function with the handler `functions.<name>.handler.handler`.

    `bundles` builds its code; that of some functions contains further packages. `memory` is in MB,
    `timeout` in seconds. The memory sizes are based on `make bench ARGS=memory`; docs/performance.md explains
    them. `dead_letters` receives the events of asynchronous invocations that fail.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        bundles: Bundles,
        environment: dict[str, str],
        timeout: int,
        memory: int = 256,
        metrics: bool = True,
        kind: str | None = None,
        snap_start: bool = False,
        dead_letters: sqs.Queue | None = None,
    ) -> None:
        bundle, bundle_hash = bundles.build(name, kind)
        log = log_group(scope, f"{construct_id}Logs")
        super().__init__(
            scope,
            construct_id,
            description=f"Calo {name}" + (f" of {kind}" if kind else ""),
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(bundle), asset_hash=bundle_hash),
            handler=f"functions.{name}.handler.handler",
            timeout=Duration.seconds(timeout),
            memory_size=memory,
            tracing=lambda_.Tracing.ACTIVE,
            environment={**_powertools(name, metrics), **environment},
            log_group=log,
            role=_role(scope, f"{construct_id}ServiceRole", log),
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
            dead_letter_queue=dead_letters,
        )
        if dead_letters is None:
            acknowledge(self, {"Serverless-LambdaDLQ": NOT_ASYNCHRONOUS})

    def allow(self, actions: list[str], *resources: str) -> None:
        """Allow these actions on these ARNs. The grant methods of CDK's constructs would allow more."""
        self.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=list(resources)))

    def allow_items(self, actions: list[str], table: str, *keys: str) -> None:
        """Allow these actions on some items of a table. Their keys may contain `*`:
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
        """
        condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [*keys]}}
        self.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=[table], conditions=condition))

    def read_queue(
        self, queue: sqs.Queue, *, batch_size: int, max_concurrency: int, window: int | None = None
    ) -> None:
        """Invoke the function with batches of the queue's messages. It reports the messages that failed.

        `window` is the number of seconds that Lambda waits to fill a batch. Without it, Lambda does not wait.
        """
        self.add_event_source(
            sources.SqsEventSource(
                queue,
                batch_size=batch_size,
                max_batching_window=Duration.seconds(window) if window else None,
                max_concurrency=max_concurrency,
                report_batch_item_failures=True,
            )
        )
        acknowledge(self, {"Serverless-LambdaEventSourceMappingDestination": NO_DESTINATION_FOR_QUEUES})


NOT_ASYNCHRONOUS = (
    "Lambda uses a dead-letter queue only for asynchronous invocations. This function is invoked by API "
    "Gateway, which receives the error; by a queue or a stream, which keeps failed items; or by a schedule, "
    "which invokes it again within a minute."
)
NO_DESTINATION_FOR_QUEUES = (
    "Lambda supports an on-failure destination only for streams. Failed messages of a queue follow its "
    "redrive policy."
)


def log_group(scope: Construct, construct_id: str, *, name: str | None = None) -> logs.LogGroup:
    """Create a log group that keeps entries for a month and is deleted with its stack."""
    return logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        retention=LOG_RETENTION,
        removal_policy=RemovalPolicy.DESTROY,
    )


def provider_log(stack: Stack, provider: str) -> None:
    """Give one of CDK's own functions a log group with a retention. Lambda's default log group never expires.

    Does nothing if the stack does not contain the function (flags in cdk.json decide), or if the function
    already has a log group.
    """
    function = stack.node.try_find_child(provider)
    log_id = f"{provider.split('::')[1]}Logs"
    if function is None or stack.node.try_find_child(log_id) is not None:
        return
    handler = cast(CfnResource, function.node.find_child("Handler"))
    log = log_group(stack, log_id)
    handler.add_property_override("LoggingConfig", {"LogGroup": log.log_group_name})


def _powertools(service: str, metrics: bool) -> dict[str, str]:
    """Return the environment of Powertools for AWS Lambda:
    https://docs.aws.amazon.com/powertools/python/latest/environment-variables/"""
    return {
        "POWERTOOLS_SERVICE_NAME": service,
        "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
        **({} if metrics else {"POWERTOOLS_METRICS_DISABLED": "true"}),
    }


def _role(scope: Construct, construct_id: str, log: logs.LogGroup) -> iam.Role:
    """Create a role that may write to its own log group. AWS's managed policy would allow all log groups."""
    role = iam.Role(scope, construct_id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log.grant_write(role)
    acknowledge(
        role,
        {
            "AwsSolutions-IAM5[Resource::*]": "X-Ray's PutTraceSegments and PutTelemetryRecords, and the "
            "actions that list streams and subscriptions, do not support resource-level permissions. A test "
            "checks that no other action is allowed on all resources.",
        },
    )
    return role
