"""The relay's network and its flow logs."""

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.constructs.acknowledgements import acknowledge
from infra.constructs.functions import log_group, provider_log
from infra.settings import FlowLogs, Settings

TRAFFIC: dict[FlowLogs, ec2.FlowLogTrafficType] = {
    "reject": ec2.FlowLogTrafficType.REJECT,
    "all": ec2.FlowLogTrafficType.ALL,
}


def create_network(scope: Construct, settings: Settings) -> ec2.Vpc:
    """Create a VPC with two zones. It has private subnets only if it has a NAT gateway.

    DynamoDB and image layers are reached through gateway endpoints, which are free, and not through the NAT
    gateway, which is charged by traffic.
    """
    # These are CDK's default masks for four subnets. They are set explicitly so that the public subnets keep
    # their address ranges when nat_gateways changes to or from 0.
    subnets = [_subnets("Public", ec2.SubnetType.PUBLIC)]
    if settings.nat_gateways:
        subnets.append(_subnets("Private", ec2.SubnetType.PRIVATE_WITH_EGRESS))
    vpc = ec2.Vpc(
        scope,
        "Vpc",
        max_azs=None if settings.zones else 2,
        availability_zones=settings.zones or None,
        nat_gateways=settings.nat_gateways,
        subnet_configuration=subnets,
    )
    vpc.add_gateway_endpoint("DynamoDb", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    if settings.flow_logs != "none":
        vpc.add_flow_log(
            "Flows",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group(scope, "FlowLogs")),
            traffic_type=TRAFFIC[settings.flow_logs],
        )
    else:
        acknowledge(vpc, {"AwsSolutions-VPC7": "Flow logs are turned off by the setting flow_logs=none."})
    provider_log(Stack.of(scope), "Custom::VpcRestrictDefaultSGCustomResourceProvider")
    return vpc


def relay_subnets(settings: Settings) -> ec2.SubnetSelection:
    """Return the subnets of the tasks, the load balancer and the VPC link."""
    private = ec2.SubnetType.PRIVATE_WITH_EGRESS
    return ec2.SubnetSelection(subnet_type=private if settings.nat_gateways else ec2.SubnetType.PUBLIC)


def _subnets(name: str, subnet_type: ec2.SubnetType) -> ec2.SubnetConfiguration:
    return ec2.SubnetConfiguration(name=name, subnet_type=subnet_type, cidr_mask=18)
