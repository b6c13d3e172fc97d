from dataclasses import replace
from typing import Any

import pytest

from functions.common.errors import RateLimited, Transient
from functions.common.kind import BatchJob
from kinds.photo import Input
from kinds.photo.photo_source import MAX_PAUSES, PhotoSource
from tests.unit.factories import make_photo
from tests.unit.fakes import FakeClock, Workbench
from tests.unit.faults import refused

Jobs = list[BatchJob[Input]]


@pytest.fixture
def jobs(bench: Workbench) -> Jobs:
    return bench.batch("pasta")


@pytest.fixture
def source(bench: Workbench, jobs: Jobs) -> PhotoSource:
    return bench.source(jobs[0].context)


def test_a_worker_waits_for_the_spares_of_the_worker_that_has_the_claim(
    bench: Workbench, source: PhotoSource, jobs: Jobs, clock: FakeClock
) -> None:
    pauses: list[float] = []

    def other_worker_answers(seconds: float) -> None:
        pauses.append(seconds)
        source.spares.put("pasta", [make_photo(id="theirs")], clock.now)

    assert source.spares.claim("pasta", clock.now)
    result = replace(source, sleep=other_worker_answers).find("pasta", jobs)
    assert [photo.id for photo in result.photos] == ["theirs"]
    assert (len(pauses), bench.unsplash.calls) == (1, [])


def test_the_claim_of_a_crashed_worker_expires(
    bench: Workbench, source: PhotoSource, jobs: Jobs, clock: FakeClock
) -> None:
    def time_passes(seconds: float) -> None:
        clock.now += int(1000 * seconds)

    source.spares.claim("pasta", clock.now)
    assert len(replace(source, sleep=time_passes).find("pasta", jobs).photos) == 1
    assert len(bench.unsplash.calls) == 1


def test_waiting_for_another_workers_spares_times_out(
    bench: Workbench, source: PhotoSource, jobs: Jobs, clock: FakeClock
) -> None:
    pauses: list[float] = []
    source.spares.claim("pasta", clock.now)
    result = replace(source, sleep=pauses.append).find("pasta", jobs)
    assert isinstance(result.shortfall, Transient)
    assert (len(pauses), bench.unsplash.calls) == (MAX_PAUSES, [])


@pytest.mark.parametrize("error", [Transient("down", "down"), RateLimited(0)])
def test_a_failed_request_releases_the_claim(
    bench: Workbench, source: PhotoSource, jobs: Jobs, dynamodb: Any, error: Exception
) -> None:
    bench.unsplash.errors["pasta"] = error
    assert source.find("pasta", jobs).shortfall is not None
    del bench.unsplash.errors["pasta"]
    dynamodb.delete_item(TableName="ledger", Key={"pk": {"S": "budget#unsplash"}})
    assert len(source.find("pasta", jobs).photos) == 1


@pytest.mark.parametrize("call", [b"taken + :count", b"remaining = :remaining", b"asked_until = :until"])
def test_a_failing_ledger_is_a_transient_error(
    source: PhotoSource, jobs: Jobs, dynamodb: Any, call: bytes
) -> None:
    with refused(dynamodb, "UpdateItem", only=call):
        result = source.find("pasta", jobs)
    assert isinstance(result.shortfall, Transient)
    assert result.shortfall.code == "storage"


def test_spares_taken_before_a_failure_are_used(
    bench: Workbench, source: PhotoSource, dynamodb: Any, clock: FakeClock
) -> None:
    source.spares.put("pasta", [make_photo(id="spare")], clock.now)
    with refused(dynamodb, "UpdateItem", only=b"asked_until = :until"):
        result = source.find("pasta", bench.batch("pasta", "pasta"))
    assert [photo.id for photo in result.photos] == ["spare"]
    assert result.shortfall is not None
