"""The cost model, compared with calculations by hand for small loads."""

from dataclasses import replace
from itertools import pairwise

import pytest

from bench.calls import FULL, LONE
from bench.cost import (
    DAYS,
    LONE_RATE,
    SECONDS,
    SMALL,
    STANDARD,
    Load,
    cost,
    usage,
)
from bench.cost.__main__ import main
from bench.cost.features import idle_budget, idle_kind, progress_writes, webhooks
from bench.prices import PRICES
from local.deployment import ROOT

MILLION = Load(jobs_per_day=1e6 / DAYS, live=False)
"""A million jobs a month, without a relay."""


def test_an_idle_deployment_costs_only_its_fixed_resources() -> None:
    idle = cost(Load(0))
    assert "API Gateway" not in idle
    assert "S3" not in idle
    hours = 730
    tasks = 2 * (0.5 * 0.03238 + 1.0 * 0.00356)
    assert idle["Relay"] == pytest.approx(hours * (tasks + 0.045 + 0.0225 + 0.005))
    assert sum(cost(Load(0, live=False)).values()) < 0.4 * sum(idle.values())


def test_a_million_jobs_match_the_calculation_by_hand() -> None:
    """Batches have one job, because it is 0.38 jobs a second."""
    used = usage(MILLION)
    made_and_ended = 6 + 9
    takings, claims_and_puts = 5 * 1, 5 * 2 / 30
    small = 35 / 30 - 1 - 2 / 30  # of the worker's updates, those that do not touch the photos
    # three changes, each with its mark and a counter, two also with their minute, in transactions
    counted = 2 * (3 + 3 + 2)
    units = made_and_ended + takings + claims_and_puts + small + counted
    assert used["DynamoDB"]["write_unit"] == pytest.approx(1e6 * units)
    assert used["API Gateway"]["api_request"] == pytest.approx(1e6)
    polls = 25 * SECONDS / 20
    assert used["SQS"]["sqs_request"] == pytest.approx(1e6 * (1 + 1 + 4) + polls + 4 * 43_800)
    assert cost(MILLION)["API Gateway"] == pytest.approx(3.50)
    worker, intake, others = 0.5 * 1.0, 0.5 * 0.03, 0.25 * (0.03 + 3 * 0.05)
    watchdog = 43_800 * 1.0 * 0.05
    assert used["Lambda"]["lambda_gb_second"] == pytest.approx(1e6 * (worker + intake + others) + watchdog)
    assert used["CloudWatch"]["log_gb"] == pytest.approx(1e6 * (6e3 + 300) / 1e9)


def test_jobs_beyond_the_rate_of_single_messages_are_processed_in_full_batches() -> None:
    per_second = LONE_RATE * 24 * 3600
    below, twice = Load(per_second, live=False), Load(2 * per_second, live=False)
    lone, both = usage(below)["SNS and Pipe"]["sns_publish"], usage(twice)["SNS and Pipe"]["sns_publish"]
    assert both == pytest.approx(lone * (1 + LONE.batch / FULL.batch))


@pytest.mark.parametrize(
    ("field", "steps"),
    [
        ("jobs_per_day", [0, 1, 33, 1e3, 1e5, 864_000, 864_001, 3e6, 1e8]),
        ("viewers", [0, 1, 33, 1e3, 9e3, 5e4]),
    ],
)
def test_a_higher_load_never_costs_less(field: str, steps: list[float]) -> None:
    values = [{"jobs_per_day": 1000.0, "viewers": 100.0, field: step} for step in steps]
    for lower, higher in pairwise(Load(load["jobs_per_day"], load["viewers"]) for load in values):
        lower_cost, higher_cost = cost(lower), cost(higher)
        assert all(lower_cost[service] <= higher_cost[service] for service in lower_cost)
        assert sum(lower_cost.values()) < sum(higher_cost.values())


def test_the_small_size_meets_its_cost_targets() -> None:
    """Load balancer, task, address and the stream's reads are nearly the whole cost."""
    idle = cost(Load(0, size=SMALL))
    assert sum(idle.values()) < 33
    assert sum(cost(Load(0, live=False, size=SMALL)).values()) < 5
    hours = 730
    floor = hours * (0.0225 + 0.25 * 0.03238 + 0.5 * 0.00356 + 0.005) + 4 * SECONDS * 0.2e-6
    assert floor == pytest.approx(16.43 + 7.21 + 3.65 + 2.10, abs=0.02)
    assert sum(idle.values()) - floor < 3


def test_invalid_loads_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="negative"):
        Load(-1)
    with pytest.raises(ValueError, match="at most 2,000 viewers"):
        Load(0, 2001, size=SMALL)
    for arguments in (["--jobs-per-day", "-5"], ["--viewers", "2001", "--size", "small"]):
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
        assert "error: " in capsys.readouterr().err


def test_a_viewer_of_the_feed_gets_every_event_and_others_only_those_of_their_jobs() -> None:
    feed = Load(10_000, viewers=50)
    own = replace(feed, watch_feed=False)
    silence = usage(Load(0, viewers=50))["Events to viewers"]["out_gb"]
    sent = [usage(load)["Events to viewers"]["out_gb"] - silence for load in (feed, own)]
    assert sent[0] == pytest.approx(50 * sent[1])
    assert sent[1] == pytest.approx(10_000 * DAYS * 2 * 900 / 1e9)


def test_the_number_of_relay_tasks_grows_with_viewers() -> None:
    assert [Load(0, viewers).tasks for viewers in (0, 10_000, 10_001)] == [2, 2, 3]


def test_hotlinked_images_have_no_storage_or_cdn_cost() -> None:
    hotlinked = cost(replace(MILLION, stored_images=False))
    assert cost(MILLION).keys() - hotlinked.keys() == {"S3", "CloudFront"}


def test_every_price_is_used_and_has_a_source() -> None:
    used = {priced for amounts in usage(Load(1e7, 5e4)).values() for priced in amounts}
    assert used == set(PRICES)
    assert all(price.usd > 0 and price.page.endswith("/") for price in PRICES.values())


def test_the_command_prints_the_sum(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--jobs-per-day", "1000", "--images", "hotlink", "--live", "false", "--watch", "own"])
    *_, last = capsys.readouterr().out.split()
    expected = sum(cost(Load(1000, 0, False, False, False)).values())
    assert float(last) == pytest.approx(expected, abs=0.01)


def test_the_readme_matches_the_model() -> None:
    text = (ROOT / "README.md").read_text()
    assert f"about ${sum(cost(Load(0)).values()):,.0f} a month idle" in text
    assert "under $33 a month idle" in text  # with the live stream
    assert "also with -c live=false: under $5" in text  # both are the targets of the small size


MONTH = 1 / DAYS
TABLE = {
    "nothing": Load(0),
    "1 thousand": Load(1e3 * MONTH, 10),
    "1 million": Load(1e6 * MONTH, 200, watch_feed=False, stored_images=False),
    "100 million": Load(1e8 * MONTH, 2_000, watch_feed=False, stored_images=False),
}


def rounded(load: Load) -> str:
    return f"{sum(cost(load).values()):,.0f}"


@pytest.mark.parametrize("jobs", TABLE)
def test_the_first_table_of_the_document_matches_the_model(jobs: str) -> None:
    load = TABLE[jobs]
    without = replace(load, live=False, size=SMALL)
    columns = [rounded(column) for column in (without, replace(load, size=SMALL), load)]
    row = f"| {jobs} | {load.viewers:,.0f} | {' | '.join(columns)} |"
    assert row in (ROOT / "docs" / "cost.md").read_text().split("## ")[0]


@pytest.mark.parametrize(
    ("load", "row"),
    [
        (Load(0, live=False), "| 0, without the relay (`-c live=false`) | | | | 0 |"),
        (Load(0), "| 0 | 0 | | | 2 |"),
        (Load(1e3 * MONTH, 10), "| 1 thousand | 10 | feed | cdn | 2 |"),
        (Load(1e6 * MONTH, 200), "| 1 million | 200 | feed | cdn | 2 |"),
        (Load(1e6 * MONTH, 200, False, False), "| 1 million | 200 | own | hotlink | 2 |"),
        (Load(1e8 * MONTH, 20_000, False, False), "| 100 million | 20,000 | own | hotlink | 4 |"),
        (Load(1e8 * MONTH, 20_000, False), "| 100 million | 20,000 | own | cdn | 4 |"),
        (Load(1e8 * MONTH, 20_000), "| 100 million | 20,000 | feed | cdn | 4 |"),
    ],
)
def test_the_other_tables_of_the_document_match_the_model(load: Load, row: str) -> None:
    text = (ROOT / "docs" / "cost.md").read_text()
    assert f"{row} {rounded(load)} |" in text


def test_the_price_of_a_kind_and_of_progress_matches_the_calculation_by_hand() -> None:
    polls = 5 * SECONDS / 20 + 43_800
    assert idle_kind(STANDARD) == pytest.approx(0.30 + polls * 0.4e-6)
    assert idle_kind(SMALL) == pytest.approx(0.10 + polls * 0.4e-6)
    assert [idle_budget(STANDARD), idle_budget(SMALL)] == pytest.approx([0.40, 0])
    counter = 0.2 + 0.05 * 0.25 * 13.3334
    assert progress_writes(STANDARD, 1) == pytest.approx(0.625 + counter + 0.4 + 0.5 + 4 * 0.4)
    assert progress_writes(STANDARD, 33) - progress_writes(STANDARD, 1) == pytest.approx(32 * 0.625)


@pytest.mark.parametrize(
    "row",
    [
        f"| a kind that is not used | {idle_kind(SMALL):.2f} | {idle_kind(STANDARD):.2f} |",
        f"| each of its budgets | {idle_budget(SMALL):.2f} | {idle_budget(STANDARD):.2f} |",
        f"| each of its secrets | {PRICES['secret'].usd:.2f} | {PRICES['secret'].usd:.2f} |",
        *(
            f"| a million writes of progress, jobs of {size} KB | "
            f"{progress_writes(SMALL, size):.1f} | {progress_writes(STANDARD, size):.1f} |"
            for size in (1, 33)
        ),
    ],
)
def test_the_table_of_kinds_in_the_document_matches_the_model(row: str) -> None:
    assert row in (ROOT / "docs" / "cost.md").read_text()


def test_the_price_of_webhooks_matches_the_calculation_by_hand_and_the_documents() -> None:
    sender = 0.2 + 0.3 * 0.25 * 13.3334
    assert webhooks() == pytest.approx(2 * 0.625 + 2 * 0.125 + 3 * 0.4 + sender + 0.5)
    idle, filtered = 0.40 + 5 * SECONDS / 20 * 0.4e-6, 2 * 3e3 / 1e9 * 0.09 * 1e6
    text = (ROOT / "docs" / "cost.md").read_text()
    for price in (webhooks(), filtered, idle):
        assert f"| {price:.2f} |" in text
    guide = (ROOT / "docs" / "webhooks.md").read_text()
    assert f"{webhooks():.2f} dollars" in guide
    assert f"costs {filtered:.2f} for" in guide
    assert f"key {idle:.2f} a month" in guide
