"""Structured logs and embedded metrics of every function; `POWERTOOLS_SERVICE_NAME` says which it is."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

logger = Logger()
metrics = Metrics(namespace="Calo")

Handler = Callable[[dict[str, Any], Any], Any]


def count(name: str, value: int = 1) -> None:
    """Add to a counter metric; nothing is written for zero."""
    if value:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


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
