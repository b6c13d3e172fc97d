"""Helpers for CloudFront. It is a global service: some resource names must be unique in the whole account."""

from aws_cdk import Names, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import IConstruct


def global_name(scope: IConstruct, name: str) -> str:
    """Return a name that contains the region, so that deployments to several regions do not conflict.

    The names that CDK generates for response headers policies and origin access controls are the same in
    every region. The result has at most 64 characters, the limit of an origin access control.
    """
    unique = Names.unique_resource_name(scope, max_length=30, allowed_special_characters="-")
    return f"{unique}-{name}-{Stack.of(scope).region}"


def private_origin(bucket: s3.Bucket) -> cloudfront.IOrigin:
    """Return an origin for a private bucket that only the distributions using this origin can read."""
    control = cloudfront.S3OriginAccessControl(
        bucket, "AccessControl", origin_access_control_name=global_name(bucket, "Access")
    )
    return origins.S3BucketOrigin.with_origin_access_control(bucket, origin_access_control=control)
