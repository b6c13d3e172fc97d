"""Structured logs and embedded metrics of the functions.

Powertools reads the function's name from POWERTOOLS_SERVICE_NAME and the metrics' namespace from
POWERTOOLS_METRICS_NAMESPACE.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit, single_metric

__all__ = [
    "MetricUnit",
    "count",
    "count_by",
    "instrumented",
    "logger",
    "measure",
    "metrics",
    "report_damaged",
]

logger = Logger()
metrics = Metrics()

Handler = Callable[[dict[str, Any], Any], Any]


def count(name: str, value: int = 1) -> None:
    """Add to a counter metric. Zero is not written."""
    if value:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def measure(name: str, value: int, unit: MetricUnit = MetricUnit.Count) -> None:
    """Add a sample to a metric of levels or times. Zero is a sample."""
    metrics.add_metric(name=name, unit=unit, value=value)


def count_by(name: str, value: int, **dimensions: str) -> None:
    """Add a value to a metric that has more dimensions than the service.

    It is written immediately, on its own line, because a line's dimensions apply to all of its metrics.
    """
    service = {"service": metrics.service}
    with single_metric(name, MetricUnit.Count, value, default_dimensions=service) as metric:
        for dimension, text in dimensions.items():
            metric.add_dimension(dimension, text)


def report_damaged(place: str, identifier: str, reason: Exception) -> None:
    """Log a damaged item, record or message, and count it in the metric `Damaged` by place."""
    logger.error(
        "damaged item skipped", extra={"place": place, "id": identifier, "reason": repr(reason)[:500]}
    )
    # without the service: alarms cannot search for dimensions, and the places are few
    with single_metric("Damaged", MetricUnit.Count, 1) as metric:
        metric.add_dimension("place", place)


def instrumented(handler: Handler) -> Handler:
    """Wrap a Lambda handler: add the invocation to its log lines, and write its metrics if there are any.

    Powertools' own decorator warns about every invocation that has no metrics.
    """
    with_context: Handler = logger.inject_lambda_context(handler, clear_state=True)

    @wraps(handler)
    def run(event: dict[str, Any], context: Any) -> Any:
        try:
            return with_context(event, context)
        finally:
            if metrics.metric_set:
                metrics.flush_metrics()

    return run
