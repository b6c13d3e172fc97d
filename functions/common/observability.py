"""Structured logs and embedded metrics of every function; `POWERTOOLS_SERVICE_NAME` says which it is."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit, single_metric

__all__ = ["MetricUnit", "count", "count_apart", "logger", "measure", "metrics", "observed"]

NAMESPACE = "Calo"

logger = Logger()
metrics = Metrics(namespace=NAMESPACE)

Handler = Callable[[dict[str, Any], Any], Any]


def count(name: str, value: int = 1) -> None:
    """Add to a counter metric; nothing is written for zero."""
    if value:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def measure(name: str, value: int, unit: MetricUnit = MetricUnit.Count) -> None:
    """Add a sample to a metric of levels or times; zero is one too."""
    metrics.add_metric(name=name, unit=unit, value=value)


def count_apart(name: str, value: int, **dimensions: str) -> None:
    """Add to a counter that has these dimensions besides the service: written at once, on its own line,
    for the dimensions of a line hold for all that it counts."""
    service = {"service": metrics.service}
    with single_metric(name, MetricUnit.Count, value, namespace=NAMESPACE, default_dimensions=service) as one:
        for dimension, text in dimensions.items():
            one.add_dimension(dimension, text)


def observed(handler: Handler) -> Handler:
    """A Lambda handler whose log lines carry the invocation, and whose metrics are written if it made any.

    Powertools' own decorator warns of every invocation that has nothing to count.
    """
    logged: Handler = logger.inject_lambda_context(handler, clear_state=True)

    @wraps(handler)
    def run(event: dict[str, Any], context: Any) -> Any:
        try:
            return logged(event, context)
        finally:
            if metrics.metric_set:
                metrics.flush_metrics()

    return run
