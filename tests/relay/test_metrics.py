"""The relay's metrics, as Prometheus and CloudWatch read them."""

import json
import random
from typing import Any

import pytest
from jsonschema import ValidationError
from prometheus_client.parser import text_string_to_metric_families

from functions.sse_relay.embedded_metrics import EmbeddedMetrics, EmbeddedMetricsSettings
from functions.sse_relay.metrics import LAG_BUCKETS, RelayMetrics
from tests.embedded_metrics import check_embedded_metrics
from tests.relay.conftest import NOW

SETTINGS = EmbeddedMetricsSettings("Namespace", "sse_relay")


def test_the_text_is_readable_for_prometheus() -> None:
    metrics = RelayMetrics()
    metrics.add_lags([300])
    metrics.sample(streams=2, connections=3, pending_bytes=0, deliveries=3)
    families = {family.name: family for family in text_string_to_metric_families(metrics.text().decode())}
    assert families["relay_events_in"].samples[0].value == 1
    assert families["relay_events_out"].samples[0].value == 3
    assert families["relay_streams"].samples[0].value == 2
    lag = families["relay_feed_lag_seconds"].samples
    buckets = [sample.value for sample in lag if sample.name.endswith("_bucket")]
    assert buckets == [0, 0, 0] + [1] * (len(LAG_BUCKETS) - 2)


def test_a_sample_counts_what_is_new_since_the_previous_one() -> None:
    metrics = RelayMetrics()
    for deliveries in (3, 3, 5):
        metrics.sample(streams=0, connections=0, pending_bytes=0, deliveries=deliveries)
    assert metrics.values()["relay_events_out_total"] == 5


def line(embedded: EmbeddedMetrics, now: int = NOW) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(embedded.line(now))
    check_embedded_metrics(written)
    return written


def test_each_line_for_cloudwatch_has_what_happened_since_the_previous_one() -> None:
    metrics = RelayMetrics()
    embedded = EmbeddedMetrics(SETTINGS, metrics)
    metrics.connections.set(5)
    metrics.events_in.inc(2)
    for lag in (0.01, 0.3, 0.3, 1000):
        metrics.observe_lag(lag)
    first = line(embedded)
    assert (first["Connections"], first["EventsIn"], first["service"]) == (5, 2, "sse_relay")
    assert first["FeedLag"] == [0.01, 0.3, 0.3, 1000]
    metrics.events_in.inc()
    metrics.observe_lag(7.5)
    second = line(embedded, NOW + 1)
    assert (second["Connections"], second["EventsIn"]) == (5, 1)
    assert second["FeedLag"] == [7.5]  # the lag itself: the upper bound of its bucket is 10
    third = line(embedded, NOW + 2)
    assert "FeedLag" not in third
    (directive,) = third["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Namespace"
    assert {metric["Name"] for metric in directive["Metrics"]} == set(third) - {"_aws", "service"}
    assert third["_aws"]["Timestamp"] == NOW + 2


def test_a_fair_sample_of_many_lags_is_written() -> None:
    count, rounds = 1000, 50
    rng = random.Random(7)
    metrics = RelayMetrics(rng.randrange)
    embedded = EmbeddedMetrics(SETTINGS, metrics)
    early = 0
    for _ in range(rounds):
        for lag in range(count):
            metrics.observe_lag(lag)
        sample = line(embedded)["FeedLag"]
        assert len(set(sample)) == 100
        early += sum(lag < count / 2 for lag in sample)
    assert early / (100 * rounds) == pytest.approx(0.5, abs=0.03)


def test_the_check_rejects_what_cloudwatch_would_ignore() -> None:
    good = json.loads(EmbeddedMetrics(SETTINGS, RelayMetrics()).line(NOW))
    for bad in ({"Values": [1], "Counts": [1]}, list(range(101)), ["1"], "1"):
        with pytest.raises(ValidationError):
            check_embedded_metrics({**good, "Connections": bad})
