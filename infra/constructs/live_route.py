"""`GET /live`: the only API call that a relay answers instead of a function. Its response is streamed."""

from typing import cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets

from infra.constructs.acknowledgements import acknowledge
from infra.constructs.rest_api import STAGE, RestApi

ADDRESS_HEADER = "X-Calo-Source-Ip"
"""API Gateway writes the client's address into this header, and replaces a header that the client sent."""
CONNECTION_TYPE = "VPC_LINK"


def add_live_route(
    api: RestApi, resource: apigateway.IResource, *, balancer_host: str, balancer_arn: str, link_id: str
) -> None:
    """Add the route from a resource of the API through the VPC link to the relay's load balancer.

    API Gateway streams the response instead of buffering it:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
    """
    # the construct does not support VPC links to application load balancers
    overrides = {
        "ConnectionType": CONNECTION_TYPE,
        "ConnectionId": link_id,
        "IntegrationTarget": balancer_arn,
    }
    for name in ("GET", "HEAD"):
        method = resource.add_method(name, _integration(name, balancer_host))
        definition = cast(apigateway.CfnMethod, method.node.default_child)
        for property_name, value in overrides.items():
            definition.add_property_override(f"Integration.{property_name}", value)
    api.deploy_when_changed(overrides)
    _keep_link_active(api)


def _integration(method: str, balancer_host: str) -> apigateway.Integration:
    streams = method == "GET"
    return apigateway.Integration(
        type=apigateway.IntegrationType.HTTP_PROXY,
        integration_http_method=method,
        uri=f"http://{balancer_host}/live",
        options=apigateway.IntegrationOptions(
            response_transfer_mode=apigateway.ResponseTransferMode.STREAM if streams else None,
            timeout=Duration.minutes(15) if streams else None,
            request_parameters={f"integration.request.header.{ADDRESS_HEADER}": "context.identity.sourceIp"},
        ),
    )


def _keep_link_active(api: RestApi) -> None:
    """Send a request through the VPC link once a day.

    API Gateway deletes the network interfaces of a link that had no traffic for 60 days. After that, streams
    fail for some minutes. The relay rejects this request with status 400; any response keeps the link active.
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
    rule = events.Rule(Stack.of(api), "KeepLinkAwake", schedule=every_day, targets=[request])
    acknowledge(rule, {"Serverless-EventBusDLQ": "The rule sends the next request a day later."})
