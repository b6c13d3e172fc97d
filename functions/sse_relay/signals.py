"""What a relay counts: text for Prometheus, and lines that CloudWatch reads metrics from."""

import json
import random
from collections.abc import Callable
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second sample for each counter, which is not used

LAG_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Seconds from `updated_at` to the write."""
COUNTERS = {
    "relay_events_in_total": "EventsIn",
    "relay_events_out_total": "EventsOut",
    "relay_streams_dropped_total": "StreamsDropped",
    "relay_history_reads_total": "HistoryReads",
}
LEVELS = {"relay_connections": "Connections", "relay_pending_bytes": "PendingBytes"}
LAG = "FeedLag"
MAX_VALUES = 100
"""Of one metric in one line, as the embedded metric format allows."""


class Signals:
    """Counters, levels and lags. The relay sets the levels before they are read."""

    def __init__(self, randrange: Callable[[int], int] = random.randrange) -> None:
        self._registry = CollectorRegistry()
        self.connections = self._level("relay_connections", "Open connections, streams and others")
        self.streams = self._level("relay_streams", "Open streams")
        self.pending_bytes = self._level("relay_pending_bytes", "Bytes that clients lag behind")
        self.events_in = self._counter("relay_events_in", "Changes that were news")
        self.events_out = self._counter("relay_events_out", "Changes written to a stream")
        self.dropped = self._counter("relay_streams_dropped", "Streams cut because they lagged too far")
        self.refused = Counter(
            "relay_requests_refused", "Requests refused, by status", ["status"], registry=self._registry
        )
        self.history_reads = self._counter("relay_history_reads", "Calls to the table for new streams")
        self._lag = Histogram(
            "relay_feed_lag_seconds",
            "From a change's updated_at to its write",
            buckets=LAG_BUCKETS,
            registry=self._registry,
        )
        self._lags: list[float] = []
        self._lag_count = 0
        self._randrange = randrange

    def observe_lag(self, seconds: float) -> None:
        """Count one change's lag. Of those since the last `take_lags` a fair sample is kept.

        Each has the same chance to be in the sample (reservoir sampling, Algorithm R).
        """
        self._lag.observe(seconds)
        self._lag_count += 1
        if len(self._lags) < MAX_VALUES:
            self._lags.append(seconds)
        elif (place := self._randrange(self._lag_count)) < MAX_VALUES:
            self._lags[place] = seconds

    def take_lags(self) -> list[float]:
        """Return the sample, at most `MAX_VALUES` lags in seconds, and begin another one."""
        lags, self._lags, self._lag_count = self._lags, [], 0
        return lags

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)

    def samples(self) -> dict[str, float]:
        """The value of every metric without labels, by its name."""
        return {
            sample.name: sample.value
            for metric in self._registry.collect()
            for sample in metric.samples
            if not sample.labels
        }

    def _level(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._registry)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self._registry)


class EmbeddedMetrics:
    """Lines in CloudWatch's embedded metric format, each with what happened since the one before.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """

    def __init__(self, service: str, signals: Signals) -> None:
        self._service = service
        self._signals = signals
        self._last: dict[str, float] = {}

    def line(self, now: int) -> str:
        """Return the line of this moment; `now` is epoch ms."""
        samples = self._signals.samples()
        values: dict[str, Any] = {name: samples[sample] for sample, name in LEVELS.items()}
        values |= {name: samples[sample] - self._last.get(sample, 0) for sample, name in COUNTERS.items()}
        if lags := self._signals.take_lags():
            values[LAG] = lags
        self._last = samples
        metrics = [{"Name": name, "Unit": "Seconds" if name == LAG else "Count"} for name in values]
        directive = {"Namespace": "Calo", "Dimensions": [["service"]], "Metrics": metrics}
        about = {"Timestamp": now, "CloudWatchMetrics": [directive]}
        return json.dumps({"_aws": about, "service": self._service, **values})
