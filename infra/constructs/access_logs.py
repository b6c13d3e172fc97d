"""The bucket for the access logs of S3, CloudFront and the load balancer."""

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
"""Key prefixes of the logs that other stacks' resources write."""


class AccessLogs(s3.Bucket):
    """A bucket that deletes logs after 90 days. Delivery is free, so this costs very little.

    Its policy allows two resources of other stacks to write: the web app's bucket and the relay's load
    balancer.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(
            scope,
            construct_id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            # load balancers support no other encryption for their logs
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=settings.tls_only,
            # CloudFront's standard logs need access control lists
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,
            lifecycle_rules=[s3.LifecycleRule(expiration=RETENTION)],
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
            # logs arrive until their writers are deleted, and only an empty bucket can be deleted
            auto_delete_objects=not settings.retain_data,
        )
        acknowledge(
            self,
            {"AwsSolutions-S1": "The bucket stores access logs. Logging access to it would create more."},
        )
        provider_log(Stack.of(self), "Custom::S3AutoDeleteObjectsCustomResourceProvider")
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
        account = Stack.of(self).account
        self._allow_writing(
            "logdelivery.elasticloadbalancing.amazonaws.com", f"{LOAD_BALANCER}/AWSLogs/{account}/*"
        )
        self._allow_writing("logging.s3.amazonaws.com", f"{SITE_BUCKET}*", source_account=account)

    def _allow_writing(self, service: str, keys: str, *, source_account: str | None = None) -> None:
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
    """Make a load balancer write its access logs to the bucket with this name.

    CDK's own `log_access_logs` needs to know the region.
    """
    balancer.set_attribute("access_logs.s3.enabled", "true")
    balancer.set_attribute("access_logs.s3.bucket", bucket)
    balancer.set_attribute("access_logs.s3.prefix", LOAD_BALANCER)


LEFT_OUT = dict.fromkeys(
    ("AwsSolutions-S1", "AwsSolutions-CFR3"), "Access logs are turned off by the setting access_logs=false."
)
"""Findings to acknowledge with access_logs=false."""
