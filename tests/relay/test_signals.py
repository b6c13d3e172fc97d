"""What is counted, as Prometheus and CloudWatch read it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from functions.sse_relay.signals import LAG_BUCKETS, EmbeddedMetrics, Signals
from local.deployment import ROOT
from tests.relay.conftest import NOW


def test_prometheus_can_read_it() -> None:
    signals = Signals()
    signals.events_out.inc(3)
    signals.streams.set(2)
    signals.lag.observe(0.3)
    families = {one.name: one for one in text_string_to_metric_families(signals.text().decode())}
    assert families["relay_events_out"].samples[0].value == 3
    assert families["relay_streams"].samples[0].value == 2
    lag = families["relay_feed_lag_seconds"].samples
    buckets = [one.value for one in lag if one.name.endswith("_bucket")]
    assert buckets == [0, 0, 0] + [1] * (len(LAG_BUCKETS) - 2)


def test_a_worker_that_has_not_counted_yet_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files are there before anything is in them."""
    count = "from functions.sse_relay.signals import Signals; Signals().events_in.inc(7)"
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", count], env=environment, cwd=ROOT, check=True)
    (tmp_path / "counter_1.db").touch()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert Signals().samples()["relay_events_in_total"] == 7


def test_cloudwatch_gets_what_happened_since_the_line_before() -> None:
    signals = Signals()
    metrics = EmbeddedMetrics("sse_relay")
    signals.connections.set(5)
    signals.events_in.inc(2)
    for lag in (0.01, 0.3, 0.3, 1000):
        signals.lag.observe(lag)
    first = json.loads(metrics.line(signals.samples(), NOW))
    assert (first["Connections"], first["EventsIn"], first["service"]) == (5, 2, "sse_relay")
    assert first["FeedLag"] == {"Values": [0.05, 0.5, 300], "Counts": [1, 2, 1]}
    signals.events_in.inc()
    signals.lag.observe(0.3)
    second = json.loads(metrics.line(signals.samples(), NOW + 1))
    assert (second["Connections"], second["EventsIn"]) == (5, 1)
    assert second["FeedLag"] == {"Values": [0.5], "Counts": [1]}
    third = json.loads(metrics.line(signals.samples(), NOW + 2))
    assert "FeedLag" not in third
    (directive,) = third["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Calo"
    assert {one["Name"] for one in directive["Metrics"]} == set(third) - {"_aws", "service"}
    assert third["_aws"]["Timestamp"] == NOW + 2
