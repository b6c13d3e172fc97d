from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functions.common.job import topic
from functions.job_worker.spares import SparePhotos
from tests.unit.factories import NOW, make_photo

SECONDS = NOW // 1000


@pytest.fixture
def spares(dynamodb: Any) -> SparePhotos:
    return SparePhotos(dynamodb, "ledger")


def photos(*ids: str) -> list[dict[str, Any]]:
    return [make_photo(id=one) for one in ids]


def test_photos_are_taken_once_and_in_order(spares: SparePhotos) -> None:
    spares.put("pasta", photos("a", "b", "c"), SECONDS)
    takes = [spares.take(*what) for what in (("pasta", 2), ("pizza", 1), ("pasta", 2), ("pasta", 2))]
    assert takes == [photos("a", "b"), [], photos("c"), []]


def test_two_workers_never_take_the_same_photo(spares: SparePhotos) -> None:
    ids = sorted(f"p{number}" for number in range(30))
    spares.put("pasta", photos(*ids), SECONDS)
    with ThreadPoolExecutor(8) as pool:
        taken = [one["id"] for part in pool.map(lambda _: spares.take("pasta", 4), range(12)) for one in part]
    assert sorted(taken) == ids


@pytest.mark.parametrize(("used", "next_"), [(1, ["b", "c"]), (2, ["c"]), (5, ["c"])])
def test_new_photos_go_behind_unused_ones_and_replace_used_ones(
    spares: SparePhotos, dynamodb: Any, used: int, next_: list[str]
) -> None:
    spares.put("pasta", photos("a", "b"), SECONDS)
    spares.take("pasta", used)
    spares.put("pasta", photos("c"), SECONDS + 60)
    assert spares.take("pasta", 9) == photos(*next_)
    item = dynamodb.get_item(TableName="ledger", Key={"pk": {"S": "spare#pasta"}})["Item"]
    assert (len(item["photos"]["L"]) == 1) is (used >= 2)
    assert item["expires_at"] == {"N": str(SECONDS + 60 + 30 * 24 * 3600)}


def test_the_longest_topic_that_a_query_can_be_fits_a_key(spares: SparePhotos) -> None:
    longest = topic("\ufdfa" * 80)  # the character that normalises to the most
    spares.put(longest, photos("a"), SECONDS)
    assert spares.take(longest, 1) == photos("a")
