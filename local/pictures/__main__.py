"""`make pictures`: takes the pictures of the documents, and pictures of every page in every state.

Those of the documents replace the files in docs/pictures/. Those of every page in every state and look
are in .build/pictures/, with a page that shows them all, and are not committed.
"""

import argparse
import sys
import tempfile
from html import escape
from pathlib import Path

import httpx
from playwright.sync_api import Browser

from local.chromium import HOW_TO_GET, find_chromium, launch
from local.deployment import ROOT
from local.pictures.animation import film
from local.pictures.jobs import make_every_state, make_photos
from local.pictures.look import save, take
from local.pictures.states import LOOKS, STATES, State
from local.processes import free_ports
from local.system import LocalSystem

DOCUMENTS = ROOT / "docs" / "pictures"
STATES_FOLDER = ROOT / ".build" / "pictures"
LATENCY_SECONDS = "0.8"
"""Of the third party: about what Unsplash needs. In the animation, a job is then pending for a moment."""
IN_DOCUMENTS = {"jobs": ("jobs", "light"), "jobs-dark": ("jobs", "dark")}
"""The state and the look of each picture in docs/pictures/, besides the animation."""


def main() -> int:
    """Return the exit status."""
    options = _arguments()
    chromium = find_chromium()
    if chromium is None:
        print(HOW_TO_GET, file=sys.stderr)
        return 1
    (port,) = free_ports(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalSystem(Path(folder) / "run", port, stand_in=["--latency", LATENCY_SECONDS]) as system,
        httpx.Client(base_url=f"{system.url}/api/", timeout=30) as http,
        launch(chromium) as browser,
    ):
        states = (
            [] if options.documents else [state for state in STATES if (options.states or "") in state.name]
        )
        failures = take_states(browser, system.url, [state for state in states if state.empty], {})
        make_photos(http)
        if options.states is None:
            take_animation(browser, system.url)
        jobs = make_every_state(system, http)
        if options.states is None:
            take_for_documents(browser, system.url, jobs)
        failures += take_states(browser, system.url, [state for state in states if not state.empty], jobs)
    print("".join(failures), file=sys.stderr, end="")
    return 1 if failures else 0


def take_animation(browser: Browser, url: str) -> None:
    """Save the animation, and its end for readers who prefer no motion."""
    result = film(browser, url)
    result.save(DOCUMENTS / "live.webp")
    save(result.frames[-1], DOCUMENTS / "live-still.webp")


def take_for_documents(browser: Browser, url: str, jobs: dict[str, str]) -> None:
    for name, (state_name, look) in IN_DOCUMENTS.items():
        (state,) = [state for state in STATES if state.name == state_name]
        save(take(browser, url, state, look, jobs, whole=False), DOCUMENTS / f"{name}.webp")


def take_states(browser: Browser, url: str, states: list[State], jobs: dict[str, str]) -> list[str]:
    """Save each state in each look, and a page that shows all pictures. Returns what failed, in lines."""
    failures = []
    for state in states:
        for look in LOOKS:
            try:
                save(take(browser, url, state, look, jobs), STATES_FOLDER / state.name / f"{look}.webp")
            except AssertionError as error:
                failures.append(f"{state.name}, {look}: {str(error).splitlines()[0]}\n")
    rows = [
        f"<h2>{escape(state.name)}</h2>"
        + "".join(
            f'<a href="{state.name}/{look}.webp"><img src="{state.name}/{look}.webp" alt="{look}"></a> '
            for look in LOOKS
        )
        for state in STATES
    ]
    style = "<style>img { height: 400px; border: 1px solid gray; vertical-align: top }</style>"
    STATES_FOLDER.mkdir(parents=True, exist_ok=True)
    (STATES_FOLDER / "index.html").write_text(f"<!doctype html><title>Pictures</title>{style}{''.join(rows)}")
    return failures


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make pictures", description=__doc__)
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--documents", action="store_true", help="take only the pictures of the documents")
    only.add_argument(
        "--states", nargs="?", const="", metavar="TEXT", help="take only states, whose names contain this"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
