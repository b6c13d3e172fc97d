"""A command in a terminal, and the terminal's text as HTML."""

import os
import pty
import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

COLUMNS, ROWS = 120, 11
ERASE_LINE, PREVIOUS_LINE = "\x1b[2K", "\x1b[1A"
SEQUENCES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+")


class Terminal:
    """The lines that a terminal shows. It knows what Rich's progress uses: colours, and erasing lines."""

    def __init__(self) -> None:
        self.lines = [""]

    def write(self, text: str) -> None:
        for sequence in SEQUENCES.findall(text):
            if sequence == "\n":
                self.lines.append("")
            elif sequence == ERASE_LINE:
                self.lines[-1] = ""
            elif sequence == PREVIOUS_LINE:
                self.lines.pop()
            elif sequence[0] != "\x1b" or sequence.endswith("m"):  # other sequences show and hide the cursor
                self.lines[-1] += sequence.replace("\r", "")

    def html(self) -> str:
        """Return the last lines, with a cursor."""
        console = Console(
            file=StringIO(), record=True, width=COLUMNS, force_terminal=True, color_system="truecolor"
        )
        for line in self.lines[:-1]:
            console.print(Text.from_ansi(line), soft_wrap=True)
        console.print(Text.from_ansi(self.lines[-1]), "█", sep="", soft_wrap=True)
        html = console.export_html(theme=MONOKAI, code_format="{code}", inline_styles=True)
        return "\n".join(html.rstrip("\n").split("\n")[-ROWS:])


class Command:
    """A running command. What it prints goes to the terminal when `update` is called."""

    def __init__(self, process: subprocess.Popen[bytes], output: int, terminal: Terminal) -> None:
        self._process = process
        self._terminal = terminal
        self._printed: list[bytes] = []
        self._reader = threading.Thread(target=self._read, args=(output,), daemon=True)
        self._reader.start()

    def _read(self, output: int) -> None:
        try:
            while data := os.read(output, 4096):
                self._printed.append(data)
        except OSError:
            return  # the command has ended, and closed the terminal

    def update(self) -> bool:
        """Write what was printed since the last call. Returns whether the command is still running."""
        is_running = self._process.poll() is None
        if not is_running:
            self._reader.join(5)
        while self._printed:
            self._terminal.write(self._printed.pop(0).decode(errors="replace"))
        return is_running


@contextmanager
def run(arguments: Sequence[str], url: str, terminal: Terminal) -> Iterator[Command]:
    """Run a command in a pseudo-terminal. `url` is the deployment that `calo` uses."""
    ours, theirs = pty.openpty()
    variables = {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(ROWS), "CALO_URL": url}
    with subprocess.Popen(
        arguments, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **variables}
    ) as process:
        os.close(theirs)
        try:
            yield Command(process, ours, terminal)
        finally:
            process.terminate()
    os.close(ours)
