"""The animation of the README: a job is created in a terminal and appears live in two browser windows."""

import io
import sys
import time
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from local.pictures.look import TIMEOUT_MS, open_page, wait_for_images
from local.pictures.states import LIVE
from local.pictures.terminal import Terminal, run

COMMAND = "calo run photo query=pasta"
WINDOW: Any = {"width": 780, "height": 740}
"""The size of a page, in CSS pixels."""
SCALE = 0.75
GAP, BAR, TERMINAL = 12, 28, 232
"""Pixels: between windows, and the heights of their title bars and of the terminal's text."""
WIDTH, HEIGHT = round(WINDOW["width"] * SCALE), round(WINDOW["height"] * SCALE)
POSITIONS = [(GAP, GAP + BAR), (GAP + WIDTH + GAP, GAP + BAR)]
"""Of the pages in the picture."""
SIZE: Any = {"width": 2 * WIDTH + 3 * GAP, "height": 3 * GAP + 2 * BAR + HEIGHT + TERMINAL}
FIRST_MS, KEY_MS, LAST_MS = 800, 45, 3000
LOOPS = 3
"""It stops then, and shows the end."""

SCENE = f"""<!doctype html><style>
  body {{ margin: 0; background: #d9dde3; font: 14px/19px "DejaVu Sans Mono", monospace }}
  div {{ position: absolute; border-radius: 8px; overflow: hidden; box-shadow: 0 2px 8px #0004 }}
  header {{ height: {BAR}px; background: #f4f5f7; color: #555; text-align: center }}
  header {{ font: 13px/{BAR}px sans-serif }}
  header::before {{ content: "● ● ●"; color: #b5bac2; float: left; padding-left: 10px; letter-spacing: 1px }}
  .window {{ top: {GAP}px; width: {WIDTH}px; height: {BAR + HEIGHT}px; background: white }}
  .terminal {{ bottom: {GAP}px; left: {GAP}px; right: {GAP}px; background: #1d1f24; color: #e6e6e6 }}
  .terminal header {{ background: #33353b; color: #bbb }}
  pre {{ box-sizing: border-box; height: {TERMINAL}px; margin: 0; padding: 10px 12px; font: inherit }}
</style>
<div class="window" style="left: {POSITIONS[0][0]}px"><header>A browser</header></div>
<div class="window" style="left: {POSITIONS[1][0]}px"><header>Another browser</header></div>
<div class="terminal"><header>{COMMAND}</header><pre></pre></div>"""


class Film:
    """Pictures of two windows and a terminal, each with the milliseconds for which it is shown."""

    def __init__(self, scene: Page, windows: list[Page]) -> None:
        self._scene = scene
        self._windows = windows
        self._shown: list[Image.Image] = []
        self.frames: list[Image.Image] = []
        self.durations: list[int] = []

    def take(self, terminal: Terminal, *, duration: int = 0, windows: bool = True) -> None:
        """Add a picture. `windows` says whether they may have changed since the last one."""
        if windows:
            self._shown = [
                _screenshot(page).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS) for page in self._windows
            ]
        self._scene.evaluate("html => document.querySelector('pre').innerHTML = html", terminal.html())
        frame = _screenshot(self._scene)
        for position, picture in zip(POSITIONS, self._shown, strict=True):
            frame.paste(picture, position)
        if self.frames and frame == self.frames[-1]:
            self.durations[-1] += duration
            return
        self.frames.append(frame)
        self.durations.append(duration)

    def save(self, path: Path) -> None:
        first, *others = self.frames
        first.save(
            path, save_all=True, append_images=others, duration=self.durations, loop=LOOPS,
            quality=70, method=4, minimize_size=True,
        )  # fmt: skip


def _screenshot(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def film(browser: Browser, url: str) -> Film:
    """Run the command, and film it until both windows show the photo."""
    windows = [open_page(browser, f"{url}/", viewport=WINDOW) for _ in POSITIONS]
    for page in windows:
        expect(page.locator(LIVE)).to_be_visible(timeout=TIMEOUT_MS)
        expect_photo(page)
    scene = browser.new_page(viewport=SIZE)
    scene.set_content(SCENE)
    terminal = Terminal()
    terminal.write("\x1b[32m$\x1b[0m ")
    result = Film(scene, windows)
    result.take(terminal, duration=FIRST_MS)
    for key in COMMAND:
        terminal.write(key)
        result.take(terminal, duration=KEY_MS, windows=False)
    terminal.write("\n")
    _film_command(result, terminal, url)
    terminal.write("\x1b[32m$\x1b[0m ")
    for page in windows:
        expect_photo(page, "pasta")
    result.take(terminal, duration=LAST_MS)
    for page in [scene, *windows]:
        page.context.close()
    return result


def _film_command(film: Film, terminal: Terminal, url: str) -> None:
    """Film in real time."""
    program = str(Path(sys.executable).with_name("calo"))
    with run([program, *COMMAND.split()[1:]], url, terminal) as command:
        then = time.monotonic()
        is_running = True
        while is_running:
            is_running = command.update()
            film.take(terminal)
            now = time.monotonic()
            film.durations[-1] += round(1000 * (now - then))
            then = now


def expect_photo(page: Page, topic: str = "") -> None:
    """Wait until the first card shows a photo, of this topic."""
    first = page.locator(".card").first
    expect(first).to_contain_text(topic, timeout=TIMEOUT_MS)
    expect(first.locator(".photo[data-state=shown]")).to_be_visible(timeout=TIMEOUT_MS)
    wait_for_images(page)
