"""The stand-in's photos are real pictures, and what it says of them is true."""

import io
import random

import pytest
from PIL import Image, ImageChops, ImageStat

from local.stand_in import blurhash
from local.stand_in.drawing import draw, jpeg, scene_of
from local.stand_in.photo_ids import new_id, size_of
from local.stand_in.photos import new_ids, photo
from local.stand_in.scenes import SCENES

PUBLIC_URL = "http://photos.test"
BASE_83 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"


@pytest.mark.parametrize("scene", range(len(SCENES)), ids=[scene.draw.__name__ for scene in SCENES])
def test_every_scene_draws_distinct_photos_at_every_shape(scene: int) -> None:
    rng = random.Random(scene)
    ids: dict[bool, str] = {}
    while len(ids) < 2:  # one upright, one not
        photo_id = new_id(scene, rng)
        ids[size_of(photo_id)[1] > size_of(photo_id)[0]] = photo_id
    pictures = [draw(photo_id, width).tobytes() for photo_id in ids.values() for width in (16, 90)]
    assert len(set(pictures)) == 4
    assert all(scene_of(photo_id) is SCENES[scene] for photo_id in ids.values())


def test_a_photo_has_one_composition_at_every_size() -> None:
    for scene in range(len(SCENES)):
        photo_id = new_id(scene, random.Random(scene))
        small = draw(photo_id, 200)
        large = draw(photo_id, 600).resize(small.size, Image.Resampling.BOX)
        assert sum(ImageStat.Stat(ImageChops.difference(small, large)).mean) / 3 < 10


def test_a_topic_decides_what_is_drawn() -> None:
    rng = random.Random(2)

    def drawn(topic: str | None) -> set[str]:
        return {scene_of(photo_id).draw.__name__ for photo_id in new_ids(topic, 200, rng)}

    assert drawn("Pasta!") == {"pasta"}
    assert drawn("mountains") == {"mountains"}
    assert drawn("food") == {"pasta", "soup", "salad", "pizza", "fruit", "coffee", "pancakes"}
    assert drawn("quaternions") == {"mountains", "dunes", "sea", "forest"}
    assert len(drawn(None)) == len(SCENES)


def test_the_color_is_the_average_of_the_picture() -> None:
    for photo_id in new_ids(None, 20, random.Random(4)):
        promised = bytes.fromhex(photo(photo_id, PUBLIC_URL)["color"][1:])
        average = Image.open(io.BytesIO(jpeg(photo_id, 300))).resize((1, 1), Image.Resampling.BOX).tobytes()
        assert all(abs(a - b) <= 16 for a, b in zip(promised, average, strict=True))


def test_an_id_of_a_scene_that_there_is_not_is_not_found() -> None:
    with pytest.raises(KeyError):
        scene_of(new_id(len(SCENES), random.Random(1)))


def test_descriptions_are_sometimes_missing_as_in_the_real_service() -> None:
    photos = [photo(photo_id, PUBLIC_URL) for photo_id in new_ids("food", 60, random.Random(1))]
    assert {type(each["description"]) for each in photos} == {str, type(None)}
    assert {"alt_description" in each for each in photos} == {True, False}


def test_a_topic_that_only_looks_like_one_without_photos_has_some() -> None:
    assert new_ids("avoid nothingness", 2, random.Random(1))


# --- BlurHash ---


def digits(text: str) -> int:
    value = 0
    for character in text:
        value = value * 83 + BASE_83.index(character)
    return value


def test_the_blur_hash_of_black_is_the_well_known_one() -> None:
    assert blurhash.encode(Image.new("RGB", (32, 24))) == "L00000fQfQfQfQfQfQfQfQfQfQfQ"


def test_the_blur_hash_holds_the_average_color() -> None:
    hashed = blurhash.encode(Image.new("RGB", (20, 30), (200, 120, 40)), 3, 3)
    assert digits(hashed[0]) == (3 - 1) + (3 - 1) * 9
    assert digits(hashed[2:6]) == 200 << 16 | 120 << 8 | 40


def test_the_blur_hash_shows_on_which_side_the_light_is() -> None:
    picture = Image.new("RGB", (32, 32))
    picture.paste((255, 255, 255), (0, 0, 16, 32))
    across, down = (digits(blurhash.encode(picture, 2, 2)[at : at + 2]) for at in (6, 8))
    assert across // 361 > 12  # 9 of 0..18 is nought: light on the left is a strong first cosine
    assert abs(down // 361 - 9) <= 2  # waves begin at the edge of a pixel, so evenness is not quite nought


def test_every_photo_has_a_blur_hash_of_the_right_length() -> None:
    for photo_id in new_ids(None, 30, random.Random(6)):
        hashed = photo(photo_id, PUBLIC_URL)["blur_hash"]
        across, down = digits(hashed[0]) % 9 + 1, digits(hashed[0]) // 9 + 1
        assert (across, down) == (4, 3)
        assert len(hashed) == 4 + 2 * across * down
        assert all(digits(hashed[at : at + 2]) < 19**3 for at in range(6, len(hashed), 2))
