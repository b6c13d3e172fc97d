"""CloudWatch metrics for alarms, dashboard and autoscaling: those of AWS, and the custom ones.

Functions and relay write the custom metrics as log lines in CloudWatch's embedded metric format. Their
dimension `service` is the name of the folder in functions/.
"""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.constructs.rest_api import API_NAME, STAGE
from infra.names import METRICS_NAMESPACE

JOBS_ACCEPTED = ("create_job", "JobsAccepted")
JOBS_RESOLVED = ("result_worker", "JobsResolved")
JOBS_FAILED = ("dlq_worker", "JobsFailed")
"""Also written with the dimensions `service` and `code`: see FAILED_BY_CODE."""
AGE_AT_RESOLUTION = ("result_worker", "AgeAtResolution")
"""Milliseconds from the API call to the result."""
JOBS_DEFERRED = ("job_worker", "JobsDeferred")
SPARE_PHOTOS = ("job_worker", "SparePhotos")
UNSPLASH_REQUESTS = ("job_worker", "UnsplashRequests")
JOBS_RESCUED = ("job_watchdog", "JobsRescued")
JOBS_LOST = ("job_watchdog", "JobsLost")
WEBHOOKS_DELIVERED = ("webhook_sender", "WebhooksDelivered")
WEBHOOKS_GIVEN_UP = ("webhook_sender", "WebhooksGivenUp")
JOBS_SCHEDULED = ("job_watchdog", "JobsScheduled")
WATCHDOG_BEHIND = ("job_watchdog", "WatchdogBehind")
"""Runs that ended before all that was due was done."""
CONNECTIONS = ("sse_relay", "Connections")
FEED_LAG = ("sse_relay", "FeedLag")
"""Seconds from a change until it is written to a stream."""
STREAMS_DROPPED = ("sse_relay", "StreamsDropped")

FAILED_BY_CODE = f'{{{METRICS_NAMESPACE},code,service}} MetricName="JobsFailed"'
"""A CloudWatch search term, because the codes are not known in advance."""

FIVE_MINUTES = Duration.minutes(5)


def custom_metric(
    metric: tuple[str, str], statistic: str = "Sum", period: Duration = FIVE_MINUTES
) -> cloudwatch.Metric:
    """Return one of the metrics above, which are pairs of service and name."""
    service, name = metric
    return _metric(
        namespace=METRICS_NAMESPACE,
        name=name,
        statistic=statistic,
        dimensions={"service": service},
        period=period,
    )


def remaining_metric(
    budget: str, *, period: Duration = FIVE_MINUTES, label: str | None = None
) -> cloudwatch.Metric:
    """Return the lowest number of units that remained of a budget: zero if none could be taken."""
    return _metric(
        namespace=METRICS_NAMESPACE,
        name="BudgetRemaining",
        statistic="Minimum",
        dimensions={"service": "job_worker", "budget": budget},
        period=period,
        label=label,
    )


def damaged_metrics() -> list[cloudwatch.Metric]:
    """Return how many items, records and messages could not be decoded: in the functions by place, and in
    the relay."""
    places = [{"place": place} for place in ("jobs table", "jobs stream", "API")]
    return [
        _metric(namespace=METRICS_NAMESPACE, name="Damaged", statistic="Sum", dimensions=dimensions)
        for dimensions in [*places, {"service": "sse_relay"}]
    ]


def queue_metric(
    queue: str,
    name: str,
    statistic: str = "Maximum",
    *,
    period: Duration = FIVE_MINUTES,
    label: str | None = None,
) -> cloudwatch.Metric:
    """Return a metric of the queue with this name:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """
    return _metric(
        namespace="AWS/SQS",
        name=name,
        statistic=statistic,
        dimensions={"QueueName": queue},
        period=period,
        label=label,
    )


def age_of_oldest_message(queue: str) -> cloudwatch.Metric:
    """Return the age in seconds."""
    return queue_metric(queue, "ApproximateAgeOfOldestMessage")


def visible_messages(queue: str) -> cloudwatch.Metric:
    """Return the number of messages that wait in a queue."""
    return queue_metric(queue, "ApproximateNumberOfMessagesVisible")


def deleted_messages(queue: str, period: Duration) -> cloudwatch.Metric:
    """Return the number of messages that a worker has processed in each period."""
    return queue_metric(queue, "NumberOfMessagesDeleted", "Sum", period=period)


def unhealthy_hosts(load_balancer: str, target_group: str) -> cloudwatch.Metric:
    """Return the number of targets that fail the health check, every minute."""
    return _metric(
        namespace="AWS/ApplicationELB",
        name="UnHealthyHostCount",
        statistic="Maximum",
        dimensions={"LoadBalancer": load_balancer, "TargetGroup": target_group},
        period=Duration.minutes(1),
    )


def function_metric(
    function: str, name: str, statistic: str = "Sum", *, label: str | None = None
) -> cloudwatch.Metric:
    """Return a metric of the function with this name:
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"""
    return _metric(
        namespace="AWS/Lambda",
        name=name,
        statistic=statistic,
        dimensions={"FunctionName": function},
        label=label,
    )


def pipe_metric(pipe: str, name: str) -> cloudwatch.Metric:
    """Return a metric of the Pipe with this name:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html"""
    return _metric(
        namespace="AWS/EventBridge/Pipes", name=name, statistic="Sum", dimensions={"PipeName": pipe}
    )


def api_metric(name: str) -> cloudwatch.Metric:
    """Return the sum of a metric of the whole API:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html"""
    return _metric(namespace="AWS/ApiGateway", name=name, statistic="Sum", dimensions={"ApiName": API_NAME})


def call_metric(name: str, statistic: str, *, method: str, path: str) -> cloudwatch.Metric:
    """Return a metric of one call of the API. It exists only if the stage has detailed metrics."""
    return _metric(
        namespace="AWS/ApiGateway",
        name=name,
        statistic=statistic,
        dimensions={"ApiName": API_NAME, "Stage": STAGE, "Method": method, "Resource": path},
        label=f"{method} {path}",
    )


def _metric(
    *,
    namespace: str,
    name: str,
    statistic: str,
    dimensions: dict[str, str],
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
