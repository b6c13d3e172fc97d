"""CaloWeb: the web app in a private bucket behind CloudFront, pointed at this deployment's API."""

from pathlib import Path

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from constructs import Construct

from infra.api_stack import ApiStack
from infra.jobs_stack import JobsStack
from infra.settings import Settings
from infra.site_headers import IMMUTABLE, REVALIDATED, content_security_policy

SITE = Path(__file__).resolve().parent.parent / "frontend" / "dist"
"""What `make web` builds."""

PAGES = """
function handler(event) {
  var request = event.request;
  if (request.uri.indexOf('.') === -1) request.uri = '/index.html';
  return request;
}
"""
"""Every address without a file's ending is the one page, which reads from it what to show. Not done by an
error page: a file that is missing must stay missing."""


class WebStack(Stack):
    """Raises RuntimeError if the web app has not been built."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, jobs: JobsStack, api: ApiStack
    ) -> None:
        super().__init__(scope, construct_id)
        if not (SITE / "index.html").exists():
            raise RuntimeError("the web app is not built: run `make web`, or deploy without it: -c web=false")
        self.bucket = s3.Bucket(
            self,
            "Site",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.DESTROY,  # it can be built again
            auto_delete_objects=True,
        )
        self.distribution = self._distribution(self._headers(settings, jobs, api))
        self._publish(api)
        CfnOutput(self, "SiteUrl", value=f"https://{self.distribution.distribution_domain_name}")

    def _distribution(self, headers: cloudfront.ResponseHeadersPolicy) -> cloudfront.Distribution:
        pages = cloudfront.Function(
            self,
            "Pages",
            comment="Calo: addresses of pages lead to the one page",
            code=cloudfront.FunctionCode.from_inline(PAGES.strip()),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
        )
        return cloudfront.Distribution(
            self,
            "Distribution",
            comment="Calo web app",
            default_root_object="index.html",
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(self.bucket),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                response_headers_policy=headers,
                function_associations=[
                    cloudfront.FunctionAssociation(
                        function=pages, event_type=cloudfront.FunctionEventType.VIEWER_REQUEST
                    )
                ],
            ),
            error_responses=[
                # the bucket says "forbidden" of what is not in it, since nobody may list it
                cloudfront.ErrorResponse(
                    http_status=403,
                    response_http_status=404,
                    response_page_path="/index.html",
                    ttl=Duration.seconds(10),
                )
            ],
        )

    def _headers(
        self, settings: Settings, jobs: JobsStack, api: ApiStack
    ) -> cloudfront.ResponseHeadersPolicy:
        api_origin = f"https://{api.api.rest_api_id}.execute-api.{self.region}.{self.url_suffix}"
        hosts = [f"https://{host}" for host in settings.image_hosts.split(",")]
        images = hosts if settings.images == "hotlink" else [jobs.images.base_url]
        policy = content_security_policy(connect=[api_origin], images=images)
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=policy, override=True
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.STRICT_ORIGIN_WHEN_CROSS_ORIGIN,
                    override=True,
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=Duration.days(730), include_subdomains=True, override=True
                ),
            ),
        )

    def _publish(self, api: ApiStack) -> None:
        """First the assets, then the page that names them. Old assets stay, for pages that are open."""
        assets = deployment.BucketDeployment(
            self,
            "Assets",
            destination_bucket=self.bucket,
            destination_key_prefix="assets",
            sources=[deployment.Source.asset(str(SITE / "assets"))],
            cache_control=[deployment.CacheControl.from_string(IMMUTABLE)],
            prune=False,
        )
        page = deployment.BucketDeployment(
            self,
            "Page",
            destination_bucket=self.bucket,
            sources=[
                deployment.Source.asset(str(SITE), exclude=["assets"]),
                deployment.Source.json_data("config.json", {"apiUrl": api.api.url}),
            ],
            cache_control=[deployment.CacheControl.from_string(REVALIDATED)],
            prune=False,
            distribution=self.distribution,
            distribution_paths=["/index.html", "/config.json", "/favicon.svg"],
        )
        page.node.add_dependency(assets)
