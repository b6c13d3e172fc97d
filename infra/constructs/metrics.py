"""Metrics for alarms, dashboard and autoscaling: AWS's own, and those that the functions and the relay write.

The latter are written as log lines in CloudWatch's embedded metric format, each with the dimension `service`:
the function's folder.
"""

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.constructs.rest_api import API_NAME, STAGE

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
    return _metric(NAMESPACE, metric, statistic, {"service": service}, period=period)


def queue_metric(queue: str, name: str, statistic: str = "Maximum", **options: Any) -> cloudwatch.Metric:
    """A metric of the queue of that name:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """
    return _metric("AWS/SQS", name, statistic, {"QueueName": queue}, **options)


def function_metric(function: str, name: str, statistic: str = "Sum", **options: Any) -> cloudwatch.Metric:
    """A metric of the function of that name:
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"""
    return _metric("AWS/Lambda", name, statistic, {"FunctionName": function}, **options)


def pipe_metric(pipe: str, name: str) -> cloudwatch.Metric:
    """A metric of the Pipe of that name:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html"""
    return _metric("AWS/EventBridge/Pipes", name, "Sum", {"PipeName": pipe})


def api_metric(name: str, statistic: str = "Sum", method: str = "", path: str = "") -> cloudwatch.Metric:
    """A metric of the API, or of one of its calls, which needs detailed metrics:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html"""
    call = {"Stage": STAGE, "Method": method, "Resource": path} if method else {}
    label = f"{method} {path}" if method else None
    return _metric("AWS/ApiGateway", name, statistic, {"ApiName": API_NAME, **call}, label=label)


def _metric(
    namespace: str,
    name: str,
    statistic: str,
    dimensions: dict[str, str],
    *,
    period: Duration = FIVE_MINUTES,
    label: str | None = None,
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=period,
        label=label,
    )
