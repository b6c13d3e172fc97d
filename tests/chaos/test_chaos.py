"""A small run of `make chaos`."""

from pathlib import Path

from tests.chaos.faults import KINDS
from tests.chaos.run import Plan, run


def test_nothing_is_lost_under_faults(tmp_path: Path) -> None:
    verdict = run(Plan(jobs=120, seed=7, clients=4, topics=5, limit=12), tmp_path / "run")
    assert verdict.breaches == []
    assert verdict.observed["jobs accepted"] == 120
    for fault in (*KINDS, "streams dropped", "truncated images", "answers with cookies", "webhooks failed"):
        assert verdict.injected.get(fault, 0) > 0, fault
