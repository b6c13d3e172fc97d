"""The stand-in's photos show its pictures, and their metadata is correct."""

import io
import random

import pytest
from PIL import Image

from local.stand_in.photo_ids import new_id
from local.stand_in.photos import new_ids, photo, picture_of
from local.stand_in.pictures import FOLDER, Picture, pictures

PUBLIC_URL = "http://photos.test"
BASE_83 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
FOOD = {"pasta", "soup", "salad", "pizza", "fruit", "coffee", "pancakes"}


def shown(topic: str | None) -> set[str]:
    """Return the names of the pictures that a topic's photos show."""
    return {picture_of(photo_id).name.split("-")[0] for photo_id in new_ids(topic, 200, random.Random(2))}


@pytest.mark.parametrize(
    ("topic", "kinds"),
    [
        ("Pasta!", {"pasta"}),
        ("mountains", {"mountains"}),
        ("food", FOOD),
        ("sunsets", {"mountains", "dunes", "sea"}),
        ("quaternions", FOOD),  # the app is about food
    ],
)
def test_a_topic_determines_the_pictures(topic: str, kinds: set[str]) -> None:
    assert shown(topic) == kinds


@pytest.mark.parametrize(
    "topic", ["sushi", "ramen", "burger", "tacos", "cake", "chocolate", "steak", "curry"]
)
def test_a_dish_is_shown_as_food(topic: str) -> None:
    assert shown(topic) <= FOOD


def test_without_a_topic_all_pictures_are_used() -> None:
    assert len(shown(None)) == len({picture.name.split("-")[0] for picture in pictures()})


def test_a_topic_that_contains_nothing_as_part_of_a_word_has_photos() -> None:
    assert new_ids("avoid nothingness", 2, random.Random(1))


@pytest.mark.parametrize("picture", pictures(), ids=lambda picture: picture.name)
def test_the_data_of_a_picture_matches_its_files(picture: Picture) -> None:
    for width, served in ((400, 400), (1080, 1080)):
        image = Image.open(io.BytesIO(picture.read(width)))
        assert (image.format, image.width) == ("WEBP", served)
        assert abs(image.height - served * picture.height / picture.width) <= 1
        average = image.convert("RGB").resize((1, 1), Image.Resampling.BOX).tobytes()
        promised = bytes.fromhex(picture.color[1:])
        assert all(abs(a - b) <= 16 for a, b in zip(promised, average, strict=True))
    assert digits(picture.blur_hash[0]) == (4 - 1) + (3 - 1) * 9
    assert len(picture.blur_hash) == 4 + 2 * 4 * 3
    assert picture.topics
    assert picture.alts


def test_every_file_belongs_to_a_picture_and_the_folder_is_small() -> None:
    files = {path.name for path in FOLDER.glob("*.webp")}
    assert files == {f"{picture.name}-{size}.webp" for picture in pictures() for size in ("small", "regular")}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 2_000_000


def test_an_id_of_an_unknown_picture_is_not_found() -> None:
    with pytest.raises(KeyError):
        picture_of(new_id(len(pictures()), random.Random(1)))


def test_descriptions_are_sometimes_missing_as_in_the_real_service() -> None:
    photos = [photo(photo_id, PUBLIC_URL) for photo_id in new_ids("food", 60, random.Random(1))]
    assert {type(each["description"]) for each in photos} == {str, type(None)}
    assert {"alt_description" in each for each in photos} == {True, False}


def digits(text: str) -> int:
    value = 0
    for character in text:
        value = value * 83 + BASE_83.index(character)
    return value
