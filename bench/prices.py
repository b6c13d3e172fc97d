"""AWS list prices in us-east-1, in US dollars, without free tiers, savings plans or taxes.

The prices were recorded in November 2026, from memory and from stored copies of public pages about them. The
price pages of AWS could not be read at the time. Check a price on its page before you rely on it.
"""

from dataclasses import dataclass

PAGES = "https://aws.amazon.com"
MILLION = 1e6


@dataclass(frozen=True)
class Price:
    """The price of one unit, in dollars. `page` is AWS's price page.

    `seen` is true if a stored copy of a public page confirmed the price.
    """

    usd: float
    unit: str
    page: str
    seen: bool = False


PRICES = {
    # requests
    "api_request": Price(3.50 / MILLION, "REST request, up to 333 million", "/api-gateway/pricing/", True),
    "waf_request": Price(0.60 / MILLION, "request inspected", "/waf/pricing/", True),
    "lambda_request": Price(0.20 / MILLION, "invocation", "/lambda/pricing/"),
    "lambda_gb_second": Price(0.0000133334, "GB-second on Arm", "/lambda/pricing/"),
    "sqs_request": Price(0.40 / MILLION, "request to a standard queue", "/sqs/pricing/"),
    "sns_publish": Price(0.50 / MILLION, "64 KB published (delivery to SQS is free)", "/sns/pricing/", True),
    "sns_filter_gb": Price(0.09, "GB compared with a filter for the body", "/sns/pricing/"),
    "pipe_request": Price(0.40 / MILLION, "64 KB after the filter", "/eventbridge/pricing/", True),
    "write_unit": Price(0.625 / MILLION, "on-demand write unit", "/dynamodb/pricing/on-demand/", True),
    "read_unit": Price(0.125 / MILLION, "on-demand read unit", "/dynamodb/pricing/on-demand/", True),
    "stream_read": Price(
        0.20 / MILLION, "read of a stream, except by Lambda", "/dynamodb/pricing/on-demand/"
    ),
    "s3_put": Price(5.00 / MILLION, "PUT", "/s3/pricing/"),
    "cdn_request": Price(1.00 / MILLION, "HTTPS request to CloudFront", "/cloudfront/pricing/"),
    "trace": Price(5.00 / MILLION, "X-Ray trace recorded", "/xray/pricing/"),
    # gigabytes
    "table_gb": Price(0.25 + 0.20, "GB-month, with point-in-time recovery", "/dynamodb/pricing/on-demand/"),
    "s3_gb": Price(0.023, "GB-month", "/s3/pricing/"),
    "out_gb": Price(0.09, "GB to the internet", "/ec2/pricing/on-demand/", True),
    "cdn_gb": Price(0.085, "GB from CloudFront", "/cloudfront/pricing/"),
    "nat_gb": Price(0.045, "GB through the NAT gateway", "/vpc/pricing/"),
    "log_gb": Price(0.50, "GB of logs ingested", "/cloudwatch/pricing/", True),
    # hours
    "vcpu_hour": Price(0.03238, "Fargate on Arm", "/fargate/pricing/", True),
    "memory_gb_hour": Price(0.00356, "Fargate on Arm", "/fargate/pricing/", True),
    "nat_hour": Price(0.045, "NAT gateway", "/vpc/pricing/"),
    "address_hour": Price(0.005, "public IPv4 address", "/vpc/pricing/"),
    "alb_hour": Price(0.0225, "load balancer", "/elasticloadbalancing/pricing/"),
    "lcu_hour": Price(0.008, "capacity unit of a load balancer", "/elasticloadbalancing/pricing/"),
    # months
    "web_acl": Price(5.00, "web ACL", "/waf/pricing/", True),
    "waf_rule": Price(1.00, "rule", "/waf/pricing/", True),
    "metric": Price(0.30, "custom metric", "/cloudwatch/pricing/", True),
    "alarm_metric": Price(0.10, "metric that an alarm uses", "/cloudwatch/pricing/"),
    "dashboard": Price(3.00, "dashboard", "/cloudwatch/pricing/", True),
    "secret": Price(0.40, "secret", "/secrets-manager/pricing/"),
}
