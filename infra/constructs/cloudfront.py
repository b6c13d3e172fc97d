"""CloudFront is global: the names of some of its resources must be unique in the whole account."""

from aws_cdk import Names, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import IConstruct


def global_name(scope: IConstruct, name: str) -> str:
    """Return a name that a deployment to a second region of the same account does not use too.

    CDK's own names of response headers policies and origin access controls are the same in every region.
    The result is at most 64 characters long, the limit of an origin access control.
    """
    unique = Names.unique_resource_name(scope, max_length=30, allowed_special_characters="-")
    return f"{unique}-{name}-{Stack.of(scope).region}"


def private_origin(bucket: s3.Bucket) -> cloudfront.IOrigin:
    """Return an origin that only the distributions which use it can read."""
    control = cloudfront.S3OriginAccessControl(
        bucket, "AccessControl", origin_access_control_name=global_name(bucket, "Access")
    )
    return origins.S3BucketOrigin.with_origin_access_control(bucket, origin_access_control=control)
