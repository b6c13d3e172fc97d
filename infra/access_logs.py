"""Where S3, CloudFront and the load balancer write who asked for what."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.settings import Settings

RETENTION = Duration.days(90)


class AccessLogs(s3.Bucket):
    """Delivery costs nothing, storage next to nothing, since logs are deleted after 90 days."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(
            scope,
            construct_id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,  # the load balancer can write to no other
            enforce_ssl=settings.tls_only,
            # CloudFront's standard logs are written by access control list
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,
            lifecycle_rules=[s3.LifecycleRule(expiration=RETENTION)],
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        acknowledge(
            self,
            {"AwsSolutions-S1": "The access logs come here; a log of their writing would make more."},
        )

    def take_from(self, balancer: elb.ApplicationLoadBalancer, prefix: str) -> None:
        """Let a load balancer write here. CDK's own way needs to know the region:
        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
        """
        self.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[self.arn_for_objects(f"{prefix}/AWSLogs/{Stack.of(self).account}/*")],
            )
        )
        balancer.set_attribute("access_logs.s3.enabled", "true")
        balancer.set_attribute("access_logs.s3.bucket", self.bucket_name)
        balancer.set_attribute("access_logs.s3.prefix", prefix)
        if self.policy is not None:
            balancer.node.add_dependency(self.policy)  # what may not be written to is refused
