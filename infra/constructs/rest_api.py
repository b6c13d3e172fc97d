"""The REST API with its stage: throttling, logs, CORS, the gateway's own answers, and the optional key."""

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
MAKES_WORK = ("/jobs/POST", "/jobs/{id}/retry/POST")
LIVE = "/live/GET"
HEADERS = ["Content-Type", "Idempotency-Key", "Last-Event-ID", "X-Api-Key"]
PUBLIC = {
    "AwsSolutions-APIG2": "The functions check every field and name the wrong one in their answer; the "
    "gateway's validator would refuse first, and name none.",
    "AwsSolutions-APIG4": "Anyone may read and create, as the contract says: there is no sign-in, and every "
    "job's owner is `public`. Throttling, the firewall and, if set, an API key bound what one may do.",
    "AwsSolutions-COG4": "As for APIG4: there are no users to sign in.",
    "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
    "AmazonAPIGatewayPushToCloudWatchLogs]": "API Gateway asks for this very policy in its account settings, "
    "which are for all APIs of the account: "
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html",
}


class RestApi(apigateway.RestApi):
    """Calls are added by its user, with `add_call`."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        self._settings = settings
        self.access_log = log_group(scope, "AccessLog")
        super().__init__(
            scope,
            construct_id,
            rest_api_name=API_NAME,
            # an edge-optimised endpoint would cut a stream after 30 idle seconds
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            # without it in the account's settings, API Gateway refuses a stage that writes an access log
            cloud_watch_role=True,
            deploy_options=_stage(settings, apigateway.LogGroupLogDestination(self.access_log)),
            default_cors_preflight_options=apigateway.CorsOptions(
                allow_origins=apigateway.Cors.ALL_ORIGINS,
                allow_methods=["GET", "POST", "DELETE", "OPTIONS"],
                allow_headers=HEADERS,
                max_age=Duration.hours(1),
            ),
        )
        acknowledge(self, PUBLIC)
        # API Gateway would make it itself, and keep it for ever
        name = f"API-Gateway-Execution-Logs_{self.rest_api_id}/{STAGE}"
        self.deployment_stage.node.add_dependency(log_group(scope, "ExecutionLog", name=name))
        add_gateway_responses(self)
        if settings.api_key:
            self._key()

    def add_call(
        self, resource: apigateway.IResource, method: str, integration: apigateway.Integration
    ) -> None:
        """A call that asks for the API key, if there is one; the preflights before it do not."""
        resource.add_method(method, integration, api_key_required=self._settings.api_key)

    def deploy_when_changed(self, overrides: Mapping[str, str]) -> None:
        """Make a new deployment of the stage when these values change.

        CDK hashes a method before its property overrides are applied, so a change of those alone would
        never reach the stage.
        """
        deployment = cast(apigateway.Deployment, self.latest_deployment)
        deployment.add_to_logical_id(dict(overrides))

    def _key(self) -> None:
        """One key, and its plan. Throttled as the stage is: what the key adds is that it can be withdrawn."""
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
    """What is set for one call replaces all that is set for every call, logs and metrics included."""
    rarer = _limits(settings, settings.post_rate, settings.post_burst)
    calls = dict.fromkeys(MAKES_WORK, rarer)
    if settings.live:
        calls[LIVE] = _limits(settings, settings.live_rate, settings.live_burst)
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
