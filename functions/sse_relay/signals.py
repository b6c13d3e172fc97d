"""What a relay counts: text for Prometheus, and lines that CloudWatch reads metrics from.

With PROMETHEUS_MULTIPROC_DIR set, the workers of one relay count together in files of that folder.
"""

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second sample for each counter, that nobody asks for

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


class Signals:
    """Counters, levels and one histogram; the levels are set by whoever knows them."""

    def __init__(self) -> None:
        self._own = CollectorRegistry()
        self.connections = self._level("relay_connections", "Open connections, streams and others")
        self.streams = self._level("relay_streams", "Open streams")
        self.pending_bytes = self._level("relay_pending_bytes", "Bytes that clients lag behind")
        self.events_in = self._counter("relay_events_in", "Changes that were news")
        self.events_out = self._counter("relay_events_out", "Changes written to a stream")
        self.dropped = self._counter("relay_streams_dropped", "Streams cut because they lagged too far")
        self.refused = Counter(
            "relay_requests_refused", "Requests refused, by status", ["status"], registry=self._own
        )
        self.history_reads = self._counter("relay_history_reads", "Calls to the table for new streams")
        self.lag = Histogram(
            "relay_feed_lag_seconds",
            "From a change's updated_at to its write",
            buckets=LAG_BUCKETS,
            registry=self._own,
        )

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry())

    def samples(self) -> dict[str, float]:
        """Every value by its name; a bucket's ends in its upper bound."""
        return {
            sample.name + sample.labels.get("le", ""): sample.value
            for metric in self._registry().collect()
            for sample in metric.samples
        }

    def _registry(self) -> CollectorRegistry:
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return self._own
        together = CollectorRegistry()
        _StartedWorkers(together)  # type: ignore[no-untyped-call]
        return together

    def _level(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._own, multiprocess_mode="livesum")

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self._own)


class _StartedWorkers(MultiProcessCollector):
    """All workers' files but those that are empty yet, which the library fails to read."""

    def collect(self) -> Iterable[Metric]:
        files = [path for path in Path(self._path).glob("*.db") if _size(path)]
        merged: Iterable[Metric] = self.merge(map(str, files))  # type: ignore[no-untyped-call]
        return merged


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # a level of a worker that has just ended
        return 0


class EmbeddedMetrics:
    """Lines in CloudWatch's embedded metric format, each with what happened since the one before.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._last: dict[str, float] = {}

    def line(self, samples: dict[str, float], now: int) -> str:
        """From the present values; `now` is epoch ms."""
        values: dict[str, Any] = {name: samples.get(sample, 0) for sample, name in LEVELS.items()}
        values |= {name: self._since(samples, sample) for sample, name in COUNTERS.items()}
        if lag := self._lag(samples):
            values[LAG] = lag
        self._last = samples
        metrics = [{"Name": name, "Unit": "Seconds" if name == LAG else "Count"} for name in values]
        directive = {"Namespace": "Calo", "Dimensions": [["service"]], "Metrics": metrics}
        about = {"Timestamp": now, "CloudWatchMetrics": [directive]}
        return json.dumps({"_aws": about, "service": self._service, **values})

    def _since(self, samples: dict[str, float], name: str) -> float:
        return samples.get(name, 0) - self._last.get(name, 0)

    def _lag(self, samples: dict[str, float]) -> dict[str, list[float]] | None:
        """How many lagged up to each bound; those beyond the last count as that."""
        counts: dict[float, float] = {}
        below = 0.0
        for bound in (*LAG_BUCKETS, math.inf):
            text = "+Inf" if bound == math.inf else str(float(bound))
            up_to = self._since(samples, f"relay_feed_lag_seconds_bucket{text}")
            value = min(bound, LAG_BUCKETS[-1])
            counts[value] = counts.get(value, 0) + up_to - below
            below = up_to
        filled = {value: count for value, count in counts.items() if count}
        return {"Values": list(filled), "Counts": list(filled.values())} if filled else None
