"""Names of the metrics that the functions and the relay write, for alarms, dashboard and autoscaling.

They are written as log lines in CloudWatch's embedded metric format, each with the dimension `service`: the
function's folder.
"""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "Calo"

JOBS_ACCEPTED = ("create_job", "JobsAccepted")
JOBS_RESOLVED = ("result_worker", "JobsResolved")
JOBS_FAILED = ("dlq_worker", "JobsFailed")
"""Besides, with the dimensions `service` and `code`: see FAILED_BY_CODE."""
AGE_AT_RESOLUTION = ("result_worker", "AgeAtResolution")
"""Milliseconds from the call to the result."""
JOBS_DEFERRED = ("job_worker", "JobsDeferred")
BUDGET_REMAINING = ("job_worker", "BudgetRemaining")
"""After each request to the third party, and zero where there was none left to make."""
SPARE_PHOTOS = ("job_worker", "SparePhotos")
UNSPLASH_REQUESTS = ("job_worker", "UnsplashRequests")
JOBS_RESCUED = ("job_watchdog", "JobsRescued")
JOBS_LOST = ("job_watchdog", "JobsLost")
CONNECTIONS = ("sse_relay", "Connections")
FEED_LAG = ("sse_relay", "FeedLag")
"""Seconds from a change to its write to a stream."""
STREAMS_DROPPED = ("sse_relay", "StreamsDropped")

FAILED_BY_CODE = f'{{{NAMESPACE},code,service}} MetricName="JobsFailed"'
"""A search term of CloudWatch, for codes are not known before."""

FIVE_MINUTES = Duration.minutes(5)


def signal(
    name: tuple[str, str], statistic: str = "Sum", period: Duration = FIVE_MINUTES
) -> cloudwatch.Metric:
    """One of the metrics named above."""
    service, metric = name
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=metric,
        dimensions_map={"service": service},
        statistic=statistic,
        period=period,
    )
