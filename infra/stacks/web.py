"""CaloWeb: the web app in a private bucket behind CloudFront, configured for this deployment's API."""

from pathlib import Path
from typing import cast

from aws_cdk import CfnElement, CfnOutput, Duration, RemovalPolicy
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from constructs import Construct

from infra.constructs.access_logs import LEFT_OUT, SITE_BUCKET
from infra.constructs.acknowledgements import acknowledge
from infra.constructs.cloudfront import global_name, private_origin
from infra.constructs.dashboard import dashboard_url
from infra.constructs.functions import log_group, provider_log
from infra.constructs.rest_api import STAGE
from infra.constructs.sign_in import add_client
from infra.constructs.site_headers import IMMUTABLE, REVALIDATED, content_security_policy
from infra.settings import Settings
from infra.sign_in_config import SignInConfig, cognito_config, oidc_config, origin
from infra.stacks.api import ApiStack
from infra.stacks.base import CaloStack
from infra.stacks.jobs import JobsStack

SITE = Path(__file__).resolve().parents[2] / "frontend" / "dist"
"""The output of `make web`."""

PAGES = """
function handler(event) {
  var request = event.request;
  if (request.uri.indexOf('.') === -1) request.uri = '/index.html';
  return request;
}
"""
"""Serve index.html for every path without a file extension. The page itself then shows what the path names.
An error page cannot replace this, because requests for missing files must fail with 404."""

OPEN_TO_ALL = {
    "AwsSolutions-CFR1": "The web app is available in all countries.",
    "AwsSolutions-CFR2": "The distribution only serves files from a private bucket. The API has a firewall.",
    "AwsSolutions-CFR4": "CloudFront's default domain name uses CloudFront's certificate, for which the "
    "minimum TLS version cannot be set. The web app is public, and HSTS makes browsers use only HTTPS.",
}
PUBLISHER = "Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C"
CDK_FUNCTION = (
    "This is CDK's own function, which runs only during a deployment. CDK does not let us configure it."
)

UNSPLASH_HOSTS = ("images.unsplash.com", "plus.unsplash.com")
"""The hosts of photos that are not stored (kinds/photo/find_photos.py)."""


class WebStack(CaloStack):
    """The web app. Raises RuntimeError if it has not been built."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, jobs: JobsStack, api: ApiStack
    ) -> None:
        super().__init__(scope, construct_id)
        if not (SITE / "index.html").exists():
            raise RuntimeError("the web app is not built; run `make web`, or deploy with -c web=false")
        self.settings = settings
        self.api_origin = f"https://{self.read(api, 'api-id')}.execute-api.{self.region}.{self.url_suffix}"
        access_logs = self._access_logs(jobs)
        self.bucket = s3.Bucket(
            self,
            "Site",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.DESTROY,  # the web app can be rebuilt
            auto_delete_objects=True,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=SITE_BUCKET if access_logs else None,
        )
        acknowledge(
            self.bucket,
            {"Annotation::@aws-cdk/aws-s3:accessLogsPolicyNotAdded": "CaloJobs adds this policy."},
        )
        self.distribution = self._distribution(self._headers(jobs), access_logs)
        acknowledge(self.distribution, OPEN_TO_ALL)
        if access_logs is None:
            for construct in (self.bucket, self.distribution):
                acknowledge(construct, LEFT_OUT)
        provider_log(self, "Custom::S3AutoDeleteObjectsCustomResourceProvider")
        self._publish_site(self._sign_in(jobs))
        self._acknowledge_publisher()
        CfnOutput(self, "SiteUrl", value=f"https://{self.distribution.distribution_domain_name}")

    def _access_logs(self, jobs: JobsStack) -> s3.IBucket | None:
        if not self.settings.access_logs:
            return None
        return s3.Bucket.from_bucket_name(self, "AccessLogs", self.read(jobs, "access-logs-bucket"))

    def _distribution(
        self, headers: cloudfront.ResponseHeadersPolicy, access_logs: s3.IBucket | None
    ) -> cloudfront.Distribution:
        pages = cloudfront.Function(
            self,
            "Pages",
            comment="Calo: serve index.html for all pages",
            code=cloudfront.FunctionCode.from_inline(PAGES.strip()),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
        )
        return cloudfront.Distribution(
            self,
            "Distribution",
            comment="Calo web app",
            enable_logging=access_logs is not None,
            log_bucket=access_logs,
            log_file_prefix="site-distribution/" if access_logs else None,
            default_root_object="index.html",
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            default_behavior=cloudfront.BehaviorOptions(
                origin=private_origin(self.bucket),
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
                # S3 responds with 403 for a missing object if the caller may not list the bucket
                cloudfront.ErrorResponse(
                    http_status=403,
                    response_http_status=404,
                    response_page_path="/index.html",
                    ttl=Duration.seconds(10),
                )
            ],
        )

    def _image_sources(self, jobs: JobsStack) -> list[str]:
        stored = [self.read(jobs, "images-base-url")] if jobs.images is not None else []
        hosts = UNSPLASH_HOSTS if self.settings.images == "hotlink" else ()
        return [*stored, *(f"https://{host}" for host in hosts)]

    def _issuers(self, jobs: JobsStack) -> list[str]:
        """Return the origins from which the web app gets tokens: the issuer's must all be the same."""
        match self.settings.auth:
            case "none":
                return []
            case "cognito":
                return [self.read(jobs, "sign-in/url")]
            case "oidc":
                return [origin(self.settings.oidc_issuer)]

    def _sign_in(self, jobs: JobsStack) -> SignInConfig | None:
        """Return what the web app needs to sign in. In Cognito it has its own client."""
        match self.settings.auth:
            case "none":
                return None
            case "cognito":
                pool = cognito.UserPool.from_user_pool_id(self, "Users", self.read(jobs, "sign-in/pool"))
                home = f"https://{self.distribution.distribution_domain_name}/"
                client = add_client(self, "Client", pool, [home])
                issuer, url = (self.read(jobs, f"sign-in/{name}") for name in ("issuer", "url"))
                return cognito_config(issuer, client.user_pool_client_id, url)
            case "oidc":
                return oidc_config(self.settings.oidc_issuer, self.settings.oidc_audience)

    def _headers(self, jobs: JobsStack) -> cloudfront.ResponseHeadersPolicy:
        connect = [self.api_origin, *self._issuers(jobs)]
        policy = content_security_policy(connect=connect, images=self._image_sources(jobs))
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            response_headers_policy_name=global_name(self, "Headers"),
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

    def _acknowledge_publisher(self) -> None:
        """Acknowledge the findings about CDK's function that copies the site into the bucket."""
        site = self.get_logical_id(cast(CfnElement, self.bucket.node.default_child))
        assets = "arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>/*"
        actions = ("GetBucket", "GetObject", "List", "Abort", "DeleteObject")
        managed = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        rules = [
            f"AwsSolutions-IAM4[Policy::{managed}]",
            *[f"AwsSolutions-IAM5[Action::s3:{action}*]" for action in actions],
            f"AwsSolutions-IAM5[Resource::{assets}]",
            f"AwsSolutions-IAM5[Resource::<{site}.Arn>/*]",
            "AwsSolutions-IAM5[Resource::*]",
            "AwsSolutions-L1",
            "Serverless-LambdaDLQ",
            "Serverless-LambdaLatestVersion",
            "Serverless-LambdaTracing",
        ]
        acknowledge(self.node.find_child(PUBLISHER), dict.fromkeys(rules, CDK_FUNCTION))

    def _publish_site(self, sign_in: SignInConfig | None) -> None:
        """Upload the assets, then the page that refers to them. Old assets remain for open pages."""
        log = log_group(self, "PublisherLogs")
        assets = deployment.BucketDeployment(
            self,
            "Assets",
            destination_bucket=self.bucket,
            destination_key_prefix="assets",
            sources=[deployment.Source.asset(str(SITE / "assets"))],
            cache_control=[deployment.CacheControl.from_string(IMMUTABLE)],
            prune=False,
            log_group=log,
        )
        has_dashboard = self.settings.ops and self.settings.dashboard
        config = {
            "apiUrl": f"{self.api_origin}/{STAGE}/",
            **({"signIn": sign_in} if sign_in else {}),
            **({"dashboardUrl": dashboard_url(self)} if has_dashboard else {}),
        }
        page = deployment.BucketDeployment(
            self,
            "Page",
            destination_bucket=self.bucket,
            sources=[
                deployment.Source.asset(str(SITE), exclude=["assets"]),
                deployment.Source.json_data("config.json", config),
            ],
            cache_control=[deployment.CacheControl.from_string(REVALIDATED)],
            prune=False,
            log_group=log,
            distribution=self.distribution,
            distribution_paths=["/*"],
        )
        page.node.add_dependency(assets)
