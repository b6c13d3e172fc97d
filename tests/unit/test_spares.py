from concurrent.futures import ThreadPoolExecutor
from itertools import count
from random import Random
from string import ascii_letters, digits
from typing import Any

import pytest

from bench.cost import SPARE_UNITS
from functions.common.attributes import to_item
from functions.common.ledger import Ledger
from kinds.photo import Photo
from kinds.photo.find_photos import topic
from kinds.photo.spares import CLAIM_MS, SparePhotos, pack
from tests.unit.factories import NOW, make_photo


@pytest.fixture
def spares(ledger: Ledger) -> SparePhotos:
    return SparePhotos(ledger.items("photo"))


def photos(*ids: str) -> list[Photo]:
    return [make_photo(id=photo_id) for photo_id in ids]


def item(dynamodb: Any, topic: str) -> dict[str, Any]:
    key = {"pk": {"S": f"kind#photo#spares#{topic}"}}
    stored: dict[str, Any] = dynamodb.get_item(TableName="ledger", Key=key)["Item"]
    return stored


def like_unsplash(number: int) -> list[Photo]:
    random = Random(1)
    words = ["".join(random.choices(ascii_letters[:26], k=random.randint(2, 8))) for _ in range(150)]
    return [one_like_unsplash(random, words) for _ in range(number)]


def one_like_unsplash(random: Random, words: list[str]) -> Photo:
    def text(letters: str, length: int) -> str:
        return "".join(random.choices(letters, k=length))

    alt, name = random.choices(words, k=8), random.choices(words, k=2)
    photo_id = text(ascii_letters + digits, 11)
    image = f"https://images.unsplash.com/photo-{text(digits, 13)}-{text('0123456789abcdef', 12)}"
    made = "crop=entropy&cs=tinysrgb&fit=max&fm=jpg&ixid=M3wyMzExNDd8MHwxfHJhbmRvbXx8fHx8fHx8fDE3NjAwMDAwMDB8"
    credit = "utm_source=calo&utm_medium=referral"
    return make_photo(
        id=photo_id,
        width=random.randint(3000, 8000),
        height=random.randint(3000, 8000),
        color=f"#{text('0123456789abcdef', 6)}",
        blur_hash=text(ascii_letters + digits + "#$%*+,-.:;=?@[]^_{|}~", 28),
        alt=" ".join(alt),
        small=f"{image}?{made}&ixlib=rb-4.1.0&q=80&w=400",
        regular=f"{image}?{made}&ixlib=rb-4.1.0&q=80&w=1080",
        photographer={
            "name": " ".join(name).title(),
            "url": f"https://unsplash.com/@{''.join(name)}?{credit}",
        },
        page=f"https://unsplash.com/photos/{'-'.join(alt)}-{photo_id}?{credit}",
    )


def test_photos_are_taken_once_and_in_order(spares: SparePhotos) -> None:
    spares.put("pasta", photos("a", "b", "c"), NOW)
    takes = [spares.take(*what) for what in (("pasta", 2), ("pizza", 1), ("pasta", 2), ("pasta", 2))]
    assert takes == [photos("a", "b"), [], photos("c"), []]


def test_concurrent_workers_never_take_the_same_photo(spares: SparePhotos) -> None:
    ids = sorted(f"p{number}" for number in range(30))
    spares.put("pasta", photos(*ids), NOW)
    with ThreadPoolExecutor(8) as pool:
        takes = pool.map(lambda _: spares.take("pasta", 4), range(12))
        taken = [photo.id for taken_photos in takes for photo in taken_photos]
    assert sorted(taken) == ids


@pytest.mark.parametrize("seed", range(5))
def test_no_photo_is_lost_or_repeated_while_workers_replace_lots(spares: SparePhotos, seed: int) -> None:
    """Four workers call in any order; each fetches new photos if it found none."""
    numbers, rng = count(), Random(seed)
    asking: set[int] = set()
    taken: list[str] = []
    for _ in range(120):
        worker = rng.randrange(4)
        if worker in asking:
            asking.remove(worker)
            spares.put("pasta", photos(*(f"p{next(numbers)}" for _ in range(5))), NOW)
            continue
        got = spares.take("pasta", 2)
        taken += [photo.id for photo in got]
        if not got and spares.claim("pasta", NOW):
            asking.add(worker)
    rest = [photo.id for photo in spares.take("pasta", 5)]
    assert sorted(taken + rest) == sorted(f"p{number}" for number in range(next(numbers)))
    assert len(taken) > 20


def test_new_photos_replace_a_used_up_lot(spares: SparePhotos, dynamodb: Any) -> None:
    spares.put("pasta", photos("a", "b"), NOW)
    spares.take("pasta", 5)
    spares.put("pasta", photos("c"), NOW + 60_000)
    assert spares.take("pasta", 9) == photos("c")
    assert item(dynamodb, "pasta")["expires_at"] == {"N": str(NOW // 1000 + 60 + 30 * 24 * 3600)}


def test_photos_added_after_the_claim_expired_are_dropped(spares: SparePhotos) -> None:
    assert spares.claim("pasta", NOW)
    assert spares.claim("pasta", NOW + CLAIM_MS + 1)
    spares.put("pasta", photos("a", "b"), NOW)
    spares.put("pasta", photos("late"), NOW)
    assert spares.take("pasta", 9) == photos("a", "b")


@pytest.mark.parametrize("earlier", ["spares#pasta", "spare#pasta", "kind#other#spares#pasta"])
def test_items_of_earlier_versions_and_other_kinds_are_not_touched(
    spares: SparePhotos, dynamodb: Any, earlier: str
) -> None:
    """Workers of an earlier version may still use its item."""
    item = to_item({"pk": earlier, "packed": pack(photos("theirs")), "photo_count": 1, "taken": 0})
    dynamodb.put_item(TableName="ledger", Item=item)
    assert spares.take("pasta", 1) == []
    assert spares.claim("pasta", NOW)
    spares.put("pasta", photos("ours"), NOW)
    assert spares.take("pasta", 1) == photos("ours")
    assert dynamodb.get_item(TableName="ledger", Key={"pk": item["pk"]})["Item"] == item


def test_packed_photos_have_the_size_that_the_cost_model_assumes() -> None:
    """URLs and texts are as long, and differ as much, as Unsplash's."""
    assert SPARE_UNITS - 1 < len(pack(like_unsplash(29))) / 1024 < SPARE_UNITS - 0.1


def test_the_longest_topic_fits_into_a_key(spares: SparePhotos) -> None:
    longest = topic("\ufdfa" * 80)  # the character that normalizes to the most
    spares.put(longest, photos("a"), NOW)
    assert spares.take(longest, 1) == photos("a")
