"""The relay's network, and the record of who was turned away."""

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.functions import log_group, provider_log
from infra.settings import Settings

TRAFFIC = {"reject": ec2.FlowLogTrafficType.REJECT, "all": ec2.FlowLogTrafficType.ALL}


def make_network(scope: Construct, settings: Settings) -> ec2.Vpc:
    """Two zones; table reads and image layers take the free way, not the gateway that is paid by the byte."""
    vpc = ec2.Vpc(scope, "Vpc", max_azs=2, nat_gateways=settings.nat_gateways)
    vpc.add_gateway_endpoint("DynamoDb", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    if settings.flow_logs != "none":
        vpc.add_flow_log(
            "Flows",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group(scope, "FlowLogs")),
            traffic_type=TRAFFIC[settings.flow_logs],
        )
    provider_log(Stack.of(scope), "Custom::VpcRestrictDefaultSGCustomResourceProvider")
    return vpc
