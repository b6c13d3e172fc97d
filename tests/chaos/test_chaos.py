"""A small seed of `make chaos`."""

from pathlib import Path

from tests.chaos.run import Plan, run


def test_nothing_is_lost_under_faults(tmp_path: Path) -> None:
    verdict = run(Plan(jobs=200, seed=7, clients=4, topics=5, limit=6), tmp_path / "run")
    assert verdict.breaches == []
    assert verdict.found["jobs accepted"] == 200
    for harm in ("job messages sent twice", "outcomes sent twice", "events sent twice", "job messages lost"):
        assert verdict.injected[harm] > 0, harm
    for harm in ("Lambda workers killed", "relays killed", "streams dropped"):
        assert verdict.injected[harm] > 0, harm
