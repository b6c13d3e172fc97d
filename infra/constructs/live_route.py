"""`GET /live`: the API's one call that is not a function's, led to the relay and streamed."""

from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets

from infra.constructs.acknowledgements import acknowledge
from infra.constructs.rest_api import STAGE, RestApi
from infra.stacks.base import CaloStack
from infra.stacks.live import ADDRESS_HEADER, LiveStack

CONNECTION_TYPE = "VPC_LINK"


def add_live_route(stack: CaloStack, api: RestApi, live: LiveStack) -> None:
    """Stream the relay's answers instead of buffering them.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
    """
    method = api.root.add_resource("live").add_method(
        "GET",
        apigateway.Integration(
            type=apigateway.IntegrationType.HTTP_PROXY,
            integration_http_method="GET",
            uri=f"http://{stack.read(live, 'load-balancer-host')}/live",
            options=apigateway.IntegrationOptions(
                response_transfer_mode=apigateway.ResponseTransferMode.STREAM,
                timeout=Duration.minutes(15),
                request_parameters={
                    f"integration.request.header.{ADDRESS_HEADER}": "context.identity.sourceIp"
                },
            ),
        ),
    )
    # the construct has no option for links to application load balancers
    overrides = {
        "ConnectionType": CONNECTION_TYPE,
        "ConnectionId": stack.read(live, "link-id"),
        "IntegrationTarget": stack.read(live, "load-balancer-arn"),
    }
    definition = cast(apigateway.CfnMethod, method.node.default_child)
    for name, value in overrides.items():
        definition.add_property_override(f"Integration.{name}", value)
    api.deploy_when_changed(overrides)
    _keep_link_awake(stack, api)


def _keep_link_awake(stack: CaloStack, api: RestApi) -> None:
    """Send a request through the VPC link once a day.

    API Gateway removes the network interfaces of a link without traffic for 60 days, and the first streams
    after that fail for minutes. The relay refuses this request at once (400): any answer has used the link.
    """
    request = targets.ApiGateway(
        api,
        path="/live",
        method="GET",
        stage=STAGE,
        query_string_parameters={"job": "keep-awake"},
        retry_attempts=0,
    )
    every_day = events.Schedule.rate(Duration.days(1))
    rule = events.Rule(stack, "KeepLinkAwake", schedule=every_day, targets=[request])
    acknowledge(rule, {"Serverless-EventBusDLQ": "A request that fails is repeated the next day."})
