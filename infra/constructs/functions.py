"""The Lambda functions: one bundle, one make for all of them."""

from typing import cast

from aws_cdk import CfnResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.acknowledgements import acknowledge
from infra.tools.bundle import build_bundle

LOG_RETENTION = logs.RetentionDays.ONE_MONTH


class CaloFunction(lambda_.Function):
    """A function whose handler is `functions.<name>.handler.handler`. Memory in MB, timeout in seconds.

    Sizes rest on `make bench ARGS=memory`; what they are for is in docs/performance.md.
    `dead_letters` takes the events of an asynchronous caller that the function failed to handle.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        environment: dict[str, str],
        timeout: int,
        memory: int = 256,
        metrics: bool = True,
        snap_start: bool = False,
        dead_letters: sqs.Queue | None = None,
    ) -> None:
        bundle, bundle_hash = build_bundle()
        log = log_group(scope, f"{construct_id}Logs")
        super().__init__(
            scope,
            construct_id,
            description=f"Calo {name}",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(bundle), asset_hash=bundle_hash),
            handler=f"functions.{name}.handler.handler",
            timeout=Duration.seconds(timeout),
            memory_size=memory,
            tracing=lambda_.Tracing.ACTIVE,
            environment={
                "POWERTOOLS_SERVICE_NAME": name,
                **({} if metrics else {"POWERTOOLS_METRICS_DISABLED": "true"}),
                **environment,
            },
            log_group=log,
            role=_role(scope, f"{construct_id}ServiceRole", log),
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
            dead_letter_queue=dead_letters,
        )
        if dead_letters is None:
            acknowledge(self, {"Serverless-LambdaDLQ": NOT_ASYNCHRONOUS})

    def may(self, actions: list[str], *resources: str) -> None:
        """Allow these actions on these ARNs; the constructs' own grants give more of both."""
        self.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=list(resources)))


NOT_ASYNCHRONOUS = (
    "Lambda uses a function's dead-letter target for asynchronous calls alone. This function is called by "
    "API Gateway, which gets the error, or by a queue or stream, which keep what failed; or by a schedule "
    "that comes again within a minute."
)


def log_group(scope: Construct, construct_id: str, *, name: str | None = None) -> logs.LogGroup:
    """A log that forgets after a month and goes with its stack."""
    return logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        retention=LOG_RETENTION,
        removal_policy=RemovalPolicy.DESTROY,
    )


def provider_log(stack: Stack, provider: str) -> None:
    """Give one of CDK's own functions a log group with a retention; Lambda's own would be kept for ever.

    Does nothing if the stack has no such function (flags in cdk.json decide) or has given it one already.
    """
    made = stack.node.try_find_child(provider)
    log_id = f"{provider.split('::')[1]}Logs"
    if made is None or stack.node.try_find_child(log_id) is not None:
        return
    handler = cast(CfnResource, made.node.find_child("Handler"))
    log = log_group(stack, log_id)
    handler.add_property_override("LoggingConfig", {"LogGroup": log.log_group_name})


def _role(scope: Construct, construct_id: str, log: logs.LogGroup) -> iam.Role:
    """May write to its own log; AWS's managed policy would allow every log of the account."""
    role = iam.Role(scope, construct_id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log.grant_write(role)
    acknowledge(
        role,
        {
            "AwsSolutions-IAM5[Resource::*]": "X-Ray's PutTraceSegments and PutTelemetryRecords, and the "
            "listing calls of streams and subscriptions, know no resource to name. A test holds that "
            "nothing else is allowed on all resources.",
        },
    )
    return role
