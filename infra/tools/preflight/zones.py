"""The zones and regions that support features which the stacks use."""

VPC_LINK_ZONES = {
    "ap-east-1": "ape1 2 3",
    "ap-northeast-1": "apne1 1 2 4",
    "ap-northeast-2": "apne2 1 2 3",
    "ap-south-1": "aps1 1 2 3",
    "ap-southeast-1": "apse1 1 2 3",
    "ap-southeast-2": "apse2 1 2 3",
    "ca-central-1": "cac1 1 2",
    "eu-central-1": "euc1 1 2 3",
    "eu-north-1": "eun1 1 2 3",
    "eu-south-2": "eus2 1 2 3",
    "eu-west-1": "euw1 1 2 3",
    "eu-west-2": "euw2 1 2 3",
    "eu-west-3": "euw3 1 3",
    "me-south-1": "mes1 1 2 3",
    "sa-east-1": "sae1 1 2 3",
    "us-east-1": "use1 1 2 4 5 6",
    "us-east-2": "use2 1 2 3",
    "us-gov-west-1": "usgw1 1 2 3",
    "us-west-1": "usw1 1 3",
    "us-west-2": "usw2 1 2 3 4",
}
"""The zones that support VPC links V2, by region: the prefix of the zone ids, and the numbers of the zones.
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-vpc-links-v2.html"""

WITHOUT_CDN_LOGS = frozenset(
    {
        "af-south-1", "ap-east-1", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ca-west-1",
        "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1", "me-central-1", "me-south-1",
    }
)  # fmt: skip
"""Regions with buckets to which CloudFront cannot deliver standard logs:
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html"""


def vpc_link_zones(region: str) -> frozenset[str]:
    """Return the ids of the region's zones that support VPC links V2, for example `use1-az1`."""
    prefix, *numbers = VPC_LINK_ZONES.get(region, "").split() or [""]
    return frozenset(f"{prefix}-az{number}" for number in numbers)
