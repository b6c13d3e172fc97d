"""Where S3, CloudFront and the load balancer write who asked for what."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.acknowledgements import acknowledge
from infra.constructs.functions import provider_log
from infra.settings import Settings

RETENTION = Duration.days(90)
LOAD_BALANCER = "relay-load-balancer"
SITE_BUCKET = "site-bucket/"


class AccessLogs(s3.Bucket):
    """Delivery is free and storage costs very little, because logs are deleted after 90 days.

    Allows what writes here from other stacks: the site's bucket and the relay's load balancer.
    """

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
            # logs keep coming until their writers are deleted, so only an emptied bucket can be deleted
            auto_delete_objects=not settings.retain_data,
        )
        acknowledge(
            self,
            {"AwsSolutions-S1": "The access logs come here; a log of their writing would make more."},
        )
        provider_log(Stack.of(self), "Custom::S3AutoDeleteObjectsCustomResourceProvider")
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
        account = Stack.of(self).account
        self._take_from(
            "logdelivery.elasticloadbalancing.amazonaws.com", f"{LOAD_BALANCER}/AWSLogs/{account}/*"
        )
        self._take_from("logging.s3.amazonaws.com", f"{SITE_BUCKET}*", source_account=account)

    def _take_from(self, service: str, keys: str, *, source_account: str | None = None) -> None:
        self.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(service)],
                actions=["s3:PutObject"],
                resources=[self.arn_for_objects(keys)],
                conditions={"StringEquals": {"aws:SourceAccount": source_account}}
                if source_account
                else None,
            )
        )


def write_access_logs(balancer: elb.ApplicationLoadBalancer, bucket: str) -> None:
    """Have a load balancer write to the bucket of that name. CDK's own way needs to know the region."""
    balancer.set_attribute("access_logs.s3.enabled", "true")
    balancer.set_attribute("access_logs.s3.bucket", bucket)
    balancer.set_attribute("access_logs.s3.prefix", LOAD_BALANCER)


LEFT_OUT = dict.fromkeys(
    ("AwsSolutions-S1", "AwsSolutions-CFR3"), "Left out by the setting access_logs=false."
)
"""Findings to acknowledge with access_logs=false."""
