"""The Lambda functions: one bundle, one make for all of them."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.bundle import build_bundle

LOG_RETENTION = logs.RetentionDays.ONE_MONTH


class CaloFunction(lambda_.Function):
    """A function whose handler is `functions.<name>.handler.handler`. Memory in MB, timeout in seconds."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        environment: dict[str, str],
        timeout: int,
        memory: int = 512,
    ) -> None:
        bundle, bundle_hash = build_bundle()
        super().__init__(
            scope,
            construct_id,
            description=f"Calo {name}",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(bundle), asset_hash=bundle_hash),
            handler=f"functions.{name}.handler.handler",
            timeout=Duration.seconds(timeout),
            memory_size=memory,
            tracing=lambda_.Tracing.ACTIVE,
            environment={"POWERTOOLS_SERVICE_NAME": name, **environment},
            log_group=logs.LogGroup(
                scope, f"{construct_id}Logs", retention=LOG_RETENTION, removal_policy=RemovalPolicy.DESTROY
            ),
        )
