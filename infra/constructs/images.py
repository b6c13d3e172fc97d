"""The bucket for the files that kinds store, and its CloudFront distribution."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.access_logs import LEFT_OUT, AccessLogs
from infra.constructs.acknowledgements import acknowledge
from infra.constructs.cloudfront import global_name, private_origin
from infra.constructs.functions import provider_log
from infra.constructs.site_headers import IMAGE_HEADERS
from infra.settings import Settings

OPEN_TO_ALL = {
    "AwsSolutions-CFR1": "The images are available in all countries.",
    "AwsSolutions-CFR2": "The distribution serves immutable files from a private bucket. Requests do not "
    "reach any code, and CloudFront itself absorbs floods.",
    "AwsSolutions-CFR4": "CloudFront's default domain name uses CloudFront's certificate, for which the "
    "minimum TLS version cannot be set. The images are public.",
}


class Images(Construct):
    """`bucket` contains objects with keys `images/<kind>/<name>`; `base_url` is their public base URL."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, access_logs: AccessLogs | None
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=settings.tls_only,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix="images-bucket/" if access_logs else None,
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
            # CloudFormation can only delete an empty bucket
            auto_delete_objects=not settings.retain_data,
        )
        provider_log(Stack.of(self), "Custom::S3AutoDeleteObjectsCustomResourceProvider")
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment="Calo images",
            default_behavior=cloudfront.BehaviorOptions(
                origin=private_origin(self.bucket),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                response_headers_policy=self._headers(),
            ),
            enable_logging=access_logs is not None,
            log_bucket=access_logs,
            log_file_prefix="images-distribution/" if access_logs else None,
        )
        acknowledge(self.distribution, OPEN_TO_ALL)
        if access_logs is None:
            acknowledge(self, LEFT_OUT)
        self.base_url = settings.images_base_url or f"https://{self.distribution.distribution_domain_name}"

    def _headers(self) -> cloudfront.ResponseHeadersPolicy:
        """Allow pages of any origin to use the images, and forbid browsers to guess other types."""
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            response_headers_policy_name=global_name(self, "Headers"),
            cors_behavior=cloudfront.ResponseHeadersCorsBehavior(
                access_control_allow_credentials=False,
                access_control_allow_headers=["*"],
                access_control_allow_methods=["GET", "HEAD"],
                access_control_allow_origins=["*"],
                access_control_max_age=Duration.days(1),
                origin_override=True,
            ),
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=IMAGE_HEADERS["Content-Security-Policy"], override=True
                ),
            ),
        )
