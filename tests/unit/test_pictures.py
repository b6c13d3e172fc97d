"""`make pictures` covers every page, and its terminal shows what a real one does."""

import re
from html import unescape

from PIL import Image, ImageSequence

from local.deployment import ROOT
from local.pictures.__main__ import DOCUMENTS as PICTURES
from local.pictures.__main__ import IN_DOCUMENTS
from local.pictures.states import LOOKS, STATES
from local.pictures.terminal import ROWS, Terminal

PAGES = [
    path.stem.removesuffix("-page")
    for path in (ROOT / "frontend/src/features").glob("*/*-page.tsx")
    if not path.stem.startswith("lazy-")
]


def text(terminal: Terminal) -> list[str]:
    return unescape(re.sub(r"<[^>]*>", "", terminal.html())).split("\n")


def test_every_page_has_its_states() -> None:
    assert {"jobs", "job", "schedules"} <= set(PAGES)
    needed = {f"{page}-{state}" for page in PAGES for state in ("loading", "error")}
    assert needed - {state.name for state in STATES} == set()


def test_the_pictures_of_the_documents_are_of_states_that_exist() -> None:
    names = [state.name for state in STATES]
    assert len(set(names)) == len(names)
    assert {state for state, _ in IN_DOCUMENTS.values()} <= set(names)
    assert {look for _, look in IN_DOCUMENTS.values()} <= set(LOOKS)


def test_the_animation_is_short_and_small_and_has_a_still_picture() -> None:
    path = PICTURES / "live.webp"
    assert path.stat().st_size < 1_000_000
    milliseconds = 0
    with Image.open(path) as animation, Image.open(PICTURES / "live-still.webp") as still:
        for _ in ImageSequence.Iterator(animation):
            animation.load()  # only then is the duration that of this frame
            milliseconds += animation.info["duration"]
        assert still.size == animation.size
        assert getattr(still, "n_frames", 1) == 1
    assert 6_000 < milliseconds < 12_000


def test_a_terminal_erases_lines_and_shows_colours() -> None:
    terminal = Terminal()
    terminal.write("$ calo\r\n\x1b[?25l\x1b[32mfirst\x1b[0m\r\nsecond")
    assert text(terminal) == ["$ calo", "first", "second█"]
    assert "<span style" in terminal.html()
    terminal.write("\r\x1b[2K\x1b[1A\x1b[2Kdone <b>\r\n")
    assert text(terminal) == ["$ calo", "done <b>", "█"]


def test_a_terminal_shows_its_last_lines() -> None:
    terminal = Terminal()
    terminal.write("".join(f"{number}\r\n" for number in range(30)))
    assert text(terminal) == [*map(str, range(31 - ROWS, 30)), "█"]
