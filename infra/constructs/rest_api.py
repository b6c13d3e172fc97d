"""The REST API and its stage: throttling, logs, CORS, API Gateway's error responses, an optional API key."""

from collections.abc import Mapping
from typing import cast

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from infra.constructs.acknowledgements import acknowledge
from infra.constructs.functions import log_group
from infra.constructs.gateway_responses import add_gateway_responses
from infra.settings import Settings

API_NAME = "Calo"
STAGE = "api"
WORK_CALLS = ("/jobs/POST", "/jobs/{id}/retry/POST", "/schedules/POST")
"""The calls that create work for the workers."""
DELIVER_CALL = "/jobs/{id}/deliveries/POST"
"""The call that creates work for the sender of webhooks."""
LIVE_CALL = "/live/GET"
HEADERS = [
    "Authorization", "Cache-Control", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-Api-Key",
]  # fmt: skip
"""Headers that pages of any origin may send. Some readers of event streams send Cache-Control."""
PUBLIC = {
    "AwsSolutions-APIG2": "The functions validate every field, and their errors name the invalid one. API "
    "Gateway's validator would reject the request first, without naming the field.",
    "AwsSolutions-APIG4": "Without sign-in (auth=none) everyone may read and create jobs; throttling, the "
    "firewall and, if enabled, an API key limit callers. With it, only the contract's documents and "
    "preflights are open, and the relay verifies the tokens of streams itself.",
    "AwsSolutions-COG4": "A function verifies tokens, because it also accepts those of other issuers.",
    "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
    "AmazonAPIGatewayPushToCloudWatchLogs]": "API Gateway requires this policy in its account settings, "
    "which apply to all APIs of the account: "
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html",
}


class RestApi(apigateway.RestApi):
    """The API without calls. Add them with `add_call`."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        self._settings = settings
        self.access_log = log_group(scope, "AccessLog")
        super().__init__(
            scope,
            construct_id,
            rest_api_name=API_NAME,
            # an edge-optimized endpoint closes streams that are idle for 30 seconds
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            # API Gateway rejects a stage with an access log if the account's settings have no logging role
            cloud_watch_role=True,
            deploy_options=_stage(settings, apigateway.LogGroupLogDestination(self.access_log)),
            default_cors_preflight_options=apigateway.CorsOptions(
                allow_origins=apigateway.Cors.ALL_ORIGINS,
                allow_methods=["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"],
                allow_headers=HEADERS,
                max_age=Duration.hours(1),
            ),
        )
        acknowledge(self, PUBLIC)
        # if API Gateway creates this log group, it never expires
        name = f"API-Gateway-Execution-Logs_{self.rest_api_id}/{STAGE}"
        self.deployment_stage.node.add_dependency(log_group(scope, "ExecutionLog", name=name))
        add_gateway_responses(self)
        if settings.api_key:
            self._add_api_key()

    def add_call(
        self,
        resource: apigateway.IResource,
        method: str,
        integration: apigateway.Integration,
        authorizer: apigateway.IAuthorizer | None,
    ) -> None:
        """Add a call, and HEAD for GET. `authorizer` is None for a call that is open to everyone.

        If the API has a key, they require it. Preflight requests require neither.
        """
        for name in ("GET", "HEAD") if method == "GET" else (method,):
            resource.add_method(
                name, integration, api_key_required=self._settings.api_key, authorizer=authorizer
            )

    def deploy_when_changed(self, overrides: Mapping[str, str]) -> None:
        """Create a new deployment of the stage when these values change.

        CDK hashes a method without its property overrides, so a change of only the overrides would not be
        deployed to the stage.
        """
        deployment = cast(apigateway.Deployment, self.latest_deployment)
        deployment.add_to_logical_id(dict(overrides))

    def _add_api_key(self) -> None:
        """Add one key and its usage plan, with the stage's throttling limits. A key can be revoked."""
        key = self.add_api_key("Key", description="Calo: the key of all callers")
        plan = self.add_usage_plan(
            "Plan",
            throttle=apigateway.ThrottleSettings(
                rate_limit=self._settings.api_rate, burst_limit=self._settings.api_burst
            ),
            api_stages=[apigateway.UsagePlanPerApiStage(api=self, stage=self.deployment_stage)],
        )
        plan.add_api_key(key)
        CfnOutput(self.stack, "ApiKeyId", value=key.key_id)


def _stage(settings: Settings, access_log: apigateway.LogGroupLogDestination) -> apigateway.StageOptions:
    """Return the options of the stage.

    The options of a single call replace all options of the stage for this call, including logs and metrics.
    """
    calls = dict.fromkeys(WORK_CALLS, _limits(settings, settings.post_rate, settings.post_burst))
    if settings.webhooks:
        calls[DELIVER_CALL] = calls[WORK_CALLS[0]]
    if settings.live:
        calls[LIVE_CALL] = _limits(settings, settings.live_rate, settings.live_burst)
    return apigateway.StageOptions(
        stage_name=STAGE,
        throttling_rate_limit=settings.api_rate,
        throttling_burst_limit=settings.api_burst,
        metrics_enabled=settings.metrics,
        logging_level=apigateway.MethodLoggingLevel.ERROR,
        method_options=calls,
        tracing_enabled=True,
        access_log_destination=access_log,
        access_log_format=apigateway.AccessLogFormat.json_with_standard_fields(
            caller=False, http_method=True, ip=True, protocol=True, request_time=True,
            resource_path=True, response_length=True, status=True, user=False,
        ),
    )  # fmt: skip


def _limits(settings: Settings, rate: int, burst: int) -> apigateway.MethodDeploymentOptions:
    return apigateway.MethodDeploymentOptions(
        throttling_rate_limit=rate,
        throttling_burst_limit=burst,
        metrics_enabled=settings.metrics,
        logging_level=apigateway.MethodLoggingLevel.ERROR,
    )
