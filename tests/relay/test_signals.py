"""What is counted, as Prometheus and CloudWatch read it."""

import json
import random
from typing import Any

import pytest
from jsonschema import ValidationError
from prometheus_client.parser import text_string_to_metric_families

from functions.sse_relay.signals import LAG_BUCKETS, EmbeddedMetrics, Signals
from tests.embedded_metrics import check_embedded_metrics
from tests.relay.conftest import NOW


def test_prometheus_can_read_it() -> None:
    signals = Signals()
    signals.events_out.inc(3)
    signals.streams.set(2)
    signals.observe_lag(0.3)
    families = {one.name: one for one in text_string_to_metric_families(signals.text().decode())}
    assert families["relay_events_out"].samples[0].value == 3
    assert families["relay_streams"].samples[0].value == 2
    lag = families["relay_feed_lag_seconds"].samples
    buckets = [one.value for one in lag if one.name.endswith("_bucket")]
    assert buckets == [0, 0, 0] + [1] * (len(LAG_BUCKETS) - 2)


def line(metrics: EmbeddedMetrics, now: int = NOW) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(metrics.line(now))
    check_embedded_metrics(written)
    return written


def test_cloudwatch_gets_what_happened_since_the_line_before() -> None:
    signals = Signals()
    metrics = EmbeddedMetrics("sse_relay", signals)
    signals.connections.set(5)
    signals.events_in.inc(2)
    for lag in (0.01, 0.3, 0.3, 1000):
        signals.observe_lag(lag)
    first = line(metrics)
    assert (first["Connections"], first["EventsIn"], first["service"]) == (5, 2, "sse_relay")
    assert first["FeedLag"] == [0.01, 0.3, 0.3, 1000]
    signals.events_in.inc()
    signals.observe_lag(7.5)
    second = line(metrics, NOW + 1)
    assert (second["Connections"], second["EventsIn"]) == (5, 1)
    assert second["FeedLag"] == [7.5]  # the lag itself: a bound of a bucket would make it ten
    third = line(metrics, NOW + 2)
    assert "FeedLag" not in third
    (directive,) = third["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Calo"
    assert {one["Name"] for one in directive["Metrics"]} == set(third) - {"_aws", "service"}
    assert third["_aws"]["Timestamp"] == NOW + 2


def test_of_many_lags_a_fair_sample_is_written() -> None:
    count, rounds = 1000, 200
    rng = random.Random(7)
    signals = Signals(rng.randrange)
    metrics = EmbeddedMetrics("sse_relay", signals)
    early = 0
    for _ in range(rounds):
        for lag in range(count):
            signals.observe_lag(lag)
        sample = line(metrics)["FeedLag"]
        assert len(set(sample)) == 100
        early += sum(lag < count / 2 for lag in sample)
    assert early / (100 * rounds) == pytest.approx(0.5, abs=0.02)


def test_the_check_refuses_what_cloudwatch_would_ignore() -> None:
    good = json.loads(EmbeddedMetrics("sse_relay", Signals()).line(NOW))
    for bad in ({"Values": [1], "Counts": [1]}, list(range(101)), ["1"], "1"):
        with pytest.raises(ValidationError):
            check_embedded_metrics({**good, "Connections": bad})
