"""The scenes, and which of them show a topic."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from ..brush import Frame
from . import breakfast, dinner, land, sky, town, water, woods


@dataclass(frozen=True)
class Scene:
    """A kind of photo: how to draw it, words for the topics it shows, and what to say of it."""

    draw: Callable[[Frame], Image.Image]
    topics: frozenset[str]
    alts: tuple[str, ...]


def _scene(draw: Callable[[Frame], Image.Image], topics: str, *alts: str) -> Scene:
    return Scene(draw, frozenset(topics.split()), alts)


_ANY_FOOD = (
    "food meal dish plate bowl eat eating cooking cook kitchen recipe restaurant table delicious tasty "
)
_DINNER = _ANY_FOOD + "dinner lunch italian italy vegetarian cuisine "
_BREAKFAST = _ANY_FOOD + "breakfast brunch morning cafe "
_LANDSCAPE = "nature landscape outdoor travel wallpaper background scenery view adventure earth "
_SUNSET = "sunset sunrise sun dusk dawn evening "

# The place of a scene in this list is part of the ids of its photos: add at the end, never reorder.
SCENES = (
    _scene(
        dinner.pasta,
        _DINNER + "pasta spaghetti noodle noodles tomato basil carbonara bolognese pesto",
        "spaghetti with sauce and basil on a round plate",
        "a plate of pasta seen from above",
        "pasta topped with fresh basil leaves",
    ),
    _scene(
        dinner.soup,
        _DINNER + "soup stew curry pumpkin tomato broth lentil",
        "a bowl of soup with a swirl of cream",
        "creamy soup with herbs in a ceramic bowl",
    ),
    _scene(
        dinner.salad,
        _DINNER + "salad vegetable healthy health vegan green lettuce cucumber egg diet tomato",
        "a bowl of green salad with sliced vegetables",
        "fresh salad in a deep bowl seen from above",
    ),
    _scene(
        dinner.pizza,
        _DINNER + "pizza cheese salami pepperoni fast bread",
        "a whole pizza with basil on a table",
        "pizza with melted cheese seen from above",
    ),
    _scene(
        breakfast.fruit,
        _BREAKFAST + "fruit berry berries smoothie yogurt yoghurt healthy health vegan kiwi orange banana",
        "a bowl of yoghurt with sliced fruit and berries",
        "a breakfast bowl with fruit, seeds and mint",
    ),
    _scene(
        breakfast.coffee,
        _BREAKFAST + "coffee cappuccino latte espresso cup drink barista tea",
        "a cup of coffee with latte art on a saucer",
        "cappuccino in a cup seen from above",
    ),
    _scene(
        breakfast.pancakes,
        _BREAKFAST + "pancake pancakes dessert sweet cake syrup berries baking",
        "a stack of pancakes with syrup and berries",
        "pancakes topped with berries and mint",
    ),
    _scene(
        land.mountains,
        _LANDSCAPE + _SUNSET + "mountain hill hiking alp fog mist lake valley peak",
        "layers of mountains in the mist",
        "mountain ridges fading into the haze",
        "silhouettes of hills under a soft sky",
    ),
    _scene(
        land.dunes,
        _LANDSCAPE + _SUNSET + "desert dune sand sahara africa hot",
        "sand dunes under a low sun",
        "light and shadow on desert dunes",
    ),
    _scene(
        water.sea,
        _LANDSCAPE + _SUNSET + "sea ocean beach water wave coast horizon summer vacation blue",
        "a calm sea with the sun above the horizon",
        "sunlight glittering on the open sea",
    ),
    _scene(
        woods.forest,
        _LANDSCAPE + "forest wood tree pine fir fog mist green winter",
        "fir trees standing in the fog",
        "a misty forest of conifers",
    ),
    _scene(
        town.city,
        "city cities urban town building architecture skyline night street downtown travel evening dusk",
        "a city skyline at dusk",
        "lit windows of towers in the evening",
    ),
    _scene(
        sky.night,
        "night star sky galaxy space astronomy universe dark wallpaper background milky",
        "stars above dark hills",
        "the milky way over a mountain ridge",
    ),
)
_LANDSCAPES = tuple(i for i, scene in enumerate(SCENES) if "landscape" in scene.topics)
_NOTHING = {"nothing", "void", "xyzzy"}


def scenes_for(topic: str | None) -> tuple[int, ...]:
    """The places in `SCENES` that suit a topic: all for none, landscapes for one that no scene knows.

    Empty for a topic that holds the word "nothing", "void" or "xyzzy": there are no photos of that.
    """
    words = set(re.findall(r"\w+", (topic or "").lower()))
    if words & _NOTHING:
        return ()
    if not words:
        return tuple(range(len(SCENES)))
    words |= {word.removesuffix("s") for word in words} | {word.removesuffix("es") for word in words}
    return tuple(i for i, scene in enumerate(SCENES) if words & scene.topics) or _LANDSCAPES
