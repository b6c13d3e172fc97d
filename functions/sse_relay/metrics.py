"""The relay's metrics, as text for Prometheus."""

import random
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from functions.common.observability import logger

disable_created_metrics()  # type: ignore[no-untyped-call]  # an unused second sample for each counter

LAG_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Seconds from `updated_at` to the write."""
MAX_LAGS = 100
"""Size of the sample of lags: the embedded metric format allows 100 values of a metric in one line."""


class RelayMetrics:
    """Counters, gauges and lags. `randrange` chooses the lags of the sample."""

    def __init__(self, randrange: Callable[[int], int] = random.randrange) -> None:
        self._registry = CollectorRegistry()
        self.connections = self._gauge("relay_connections", "Open connections, streams and others")
        self.streams = self._gauge("relay_streams", "Open streams")
        self.pending_bytes = self._gauge("relay_pending_bytes", "Bytes that are not yet written to clients")
        self.events_in = self._counter("relay_events_in", "New changes")
        self.events_out = self._counter("relay_events_out", "Changes written to a stream")
        self.dropped = self._counter(
            "relay_streams_dropped", "Streams closed because the client was too slow"
        )
        self.refused = Counter(
            "relay_requests_refused", "Requests refused, by status", ["status"], registry=self._registry
        )
        self.damaged = self._counter("relay_damaged", "Items, messages and lines that could not be decoded")
        self.history_reads = self._counter("relay_history_reads", "Calls to the table for new streams")
        self._lag = Histogram(
            "relay_feed_lag_seconds",
            "From a change's updated_at to its write",
            buckets=LAG_BUCKETS,
            registry=self._registry,
        )
        self._new_lags_ms: list[int] = []
        self._deliveries = 0
        self._sampled_lags: list[float] = []
        self._lag_count = 0
        self._randrange = randrange

    def report_damaged(self, place: str, identifier: str, reason: Exception) -> None:
        """Log and count an item, message or line that could not be decoded."""
        extra = {"place": place, "id": identifier, "reason": repr(reason)[:500]}
        logger.error("damaged item skipped", extra=extra)
        self.damaged.inc()

    def add_lags(self, lags_ms: list[int]) -> None:
        """Record the lags of published changes. Only stored for `sample`: counting would delay the events."""
        self._new_lags_ms += lags_ms

    def sample(self, *, streams: int, connections: int, pending_bytes: int, deliveries: int) -> None:
        """Update all metrics. `deliveries` is the hub's total since the start."""
        lags_ms, self._new_lags_ms = self._new_lags_ms, []
        for lag_ms in lags_ms:
            self.observe_lag(max(0, lag_ms) / 1000)
        self.events_in.inc(len(lags_ms))
        self.events_out.inc(deliveries - self._deliveries)
        self._deliveries = deliveries
        self.streams.set(streams)
        self.connections.set(connections)
        self.pending_bytes.set(pending_bytes)

    def observe_lag(self, seconds: float) -> None:
        """Count one change's lag, and add it to the sample for `take_lags`.

        Each lag has the same chance to be in the sample (reservoir sampling, Algorithm R).
        """
        self._lag.observe(seconds)
        self._lag_count += 1
        if len(self._sampled_lags) < MAX_LAGS:
            self._sampled_lags.append(seconds)
        elif (index := self._randrange(self._lag_count)) < MAX_LAGS:
            self._sampled_lags[index] = seconds

    def take_lags(self) -> list[float]:
        """Return the sample, at most `MAX_LAGS` lags in seconds, and start a new one."""
        lags, self._sampled_lags, self._lag_count = self._sampled_lags, [], 0
        return lags

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def values(self) -> dict[str, float]:
        """Return the value of every metric without labels, by name."""
        return {
            sample.name: sample.value
            for metric in self._registry.collect()
            for sample in metric.samples
            if not sample.labels
        }

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._registry)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self._registry)
