"""The alarms and the dashboard use only metrics that the code writes."""

from pathlib import Path

import pytest

from infra.constructs import metrics

ROOT = Path(__file__).parents[2]
FUNCTIONS, KINDS = ROOT / "functions", ROOT / "kinds"
NAMES = [value for value in vars(metrics).values() if isinstance(value, tuple)]


@pytest.mark.parametrize(("service", "metric"), NAMES)
def test_a_service_writes_its_metric(service: str, metric: str) -> None:
    """The metric is in the function's own code, in that of a kind, or in shared code."""
    sources = [*(FUNCTIONS / service).glob("*.py"), *(FUNCTIONS / "common").glob("*.py")]
    if service == "job_worker":
        sources += KINDS.rglob("*.py")
    assert any(f'"{metric}"' in source.read_text() for source in sources)
