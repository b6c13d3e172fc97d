from dataclasses import replace
from typing import Any

import pytest

from functions.common.errors import RateLimited, Transient
from functions.job_worker.photo_source import MAX_PAUSES, PhotoSource
from tests.unit.factories import CALLER, make_photo
from tests.unit.fakes import FakeClock, Workbench
from tests.unit.faults import refused


@pytest.fixture
def source(bench: Workbench) -> PhotoSource:
    return bench.source


def test_a_worker_waits_for_the_spares_of_the_worker_that_has_the_claim(
    bench: Workbench, source: PhotoSource, clock: FakeClock
) -> None:
    pauses: list[float] = []

    def other_worker_answers(seconds: float) -> None:
        pauses.append(seconds)
        source.spares.put("pasta", [make_photo(id="theirs")], clock.now // 1000)

    assert source.spares.claim("pasta", clock.now)
    result = replace(source, sleep=other_worker_answers).find("pasta", 1, [CALLER])
    assert [photo["id"] for photo in result.photos] == ["theirs"]
    assert (len(pauses), bench.unsplash.calls) == (1, [])


def test_the_claim_of_a_crashed_worker_expires(
    bench: Workbench, source: PhotoSource, clock: FakeClock
) -> None:
    def time_passes(seconds: float) -> None:
        clock.now += int(1000 * seconds)

    source.spares.claim("pasta", clock.now)
    assert len(replace(source, sleep=time_passes).find("pasta", 1, [CALLER]).photos) == 1
    assert len(bench.unsplash.calls) == 1


def test_waiting_for_another_workers_spares_times_out(
    bench: Workbench, source: PhotoSource, clock: FakeClock
) -> None:
    pauses: list[float] = []
    source.spares.claim("pasta", clock.now)
    result = replace(source, sleep=pauses.append).find("pasta", 1, [CALLER])
    assert isinstance(result.shortfall, Transient)
    assert (len(pauses), bench.unsplash.calls) == (MAX_PAUSES, [])


@pytest.mark.parametrize("error", [Transient("down", "down"), RateLimited(0)])
def test_a_failed_request_releases_the_claim(
    bench: Workbench, source: PhotoSource, dynamodb: Any, error: Exception
) -> None:
    bench.unsplash.errors["pasta"] = error
    assert source.find("pasta", 1, [CALLER]).shortfall is not None
    del bench.unsplash.errors["pasta"]
    dynamodb.delete_item(TableName="ledger", Key={"pk": {"S": "budget"}})
    assert len(source.find("pasta", 1, [CALLER]).photos) == 1


@pytest.mark.parametrize("call", [b"taken + :count", b"remaining = :remaining", b"asked_until = :until"])
def test_a_failing_ledger_is_a_transient_error(source: PhotoSource, dynamodb: Any, call: bytes) -> None:
    with refused(dynamodb, "UpdateItem", only=call):
        result = source.find("pasta", 1, [CALLER])
    assert isinstance(result.shortfall, Transient)
    assert result.shortfall.code == "storage"


def test_spares_taken_before_a_failure_are_used(source: PhotoSource, dynamodb: Any, clock: FakeClock) -> None:
    source.spares.put("pasta", [make_photo(id="spare")], clock.now // 1000)
    with refused(dynamodb, "UpdateItem", only=b"asked_until = :until"):
        result = source.find("pasta", 2, [CALLER])
    assert [photo["id"] for photo in result.photos] == ["spare"]
    assert result.shortfall is not None
