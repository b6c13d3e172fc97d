"""The relay's metrics as log lines from which CloudWatch extracts them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functions.common.clock import now_ms
from functions.sse_relay.metrics import RelayMetrics

INTERVAL_SECONDS = 60
COUNTERS = {
    "relay_events_in_total": "EventsIn",
    "relay_events_out_total": "EventsOut",
    "relay_streams_dropped_total": "StreamsDropped",
    "relay_history_reads_total": "HistoryReads",
    "relay_damaged_total": "Damaged",
}
GAUGES = {"relay_connections": "Connections", "relay_pending_bytes": "PendingBytes"}
LAG = "FeedLag"


@dataclass(frozen=True)
class EmbeddedMetricsSettings:
    """From the environment: the variables that Powertools reads in the functions."""

    powertools_metrics_namespace: str
    powertools_service_name: str


class EmbeddedMetrics:
    """Formats lines, each with what has happened since the previous one."""

    def __init__(self, settings: EmbeddedMetricsSettings, metrics: RelayMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._previous: dict[str, float] = {}

    def line(self, now: int) -> str:
        """Return the line for `now` (epoch ms)."""
        current = self._metrics.values()
        values: dict[str, Any] = {metric: current[name] for name, metric in GAUGES.items()}
        values |= {metric: current[name] - self._previous.get(name, 0) for name, metric in COUNTERS.items()}
        if lags := self._metrics.take_lags():
            values[LAG] = lags
        self._previous = current
        definitions = [{"Name": metric, "Unit": "Seconds" if metric == LAG else "Count"} for metric in values]
        directive = {
            "Namespace": self._settings.powertools_metrics_namespace,
            "Dimensions": [["service"]],
            "Metrics": definitions,
        }
        metadata = {"Timestamp": now, "CloudWatchMetrics": [directive]}
        return json.dumps({"_aws": metadata, "service": self._settings.powertools_service_name, **values})


async def write_embedded_metrics(
    settings: EmbeddedMetricsSettings,
    metrics: RelayMetrics,
    write: Callable[[str], object] = sys.stdout.write,
) -> None:
    """Write a line every minute until cancelled."""
    embedded = EmbeddedMetrics(settings, metrics)
    while True:
        await asyncio.sleep(INTERVAL_SECONDS)
        write(embedded.line(now_ms()) + "\n")
        sys.stdout.flush()
