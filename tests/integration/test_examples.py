"""The blocks of code in the documents work unchanged.

Each block of shell, Python or JavaScript is run, unless it names a file (other tests use these), or the line
before it is a comment like `<!-- not run: it needs an AWS account -->`. `make` only checks its targets.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Calo, eventually
from tests.unit.test_documents import DOCUMENTS

ROOT = Path(__file__).parents[2]
NODE = ROOT / ".venv" / "bin" / "node"
BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n)?^```(?P<language>sh|python|js)\n(?P<code>.*?)^```$",
    re.M | re.S,
)
BACKGROUND = re.compile(r" &$", re.MULTILINE)
SHELL = r"""
curl() { command curl --fail-with-body --no-progress-meter "$@"; }
make() { command make --dry-run "$@" > /dev/null; }
"""
"""With a plain `curl`, a refused request would be a success. `make` would deploy and test everything."""
STREAM = " 2> /dev/null > stream & until [ -s stream ]; do sleep 0.05; done"
"""A command in the background writes to a file. The next command waits until it has begun."""
COMMANDS = {
    "sh": ["bash", "-euc"],
    "python": [sys.executable, "-c"],
    "js": [str(NODE), "--experimental-eventsource", "--input-type=module", "--eval"],
}
TOPICS = '{"kind": "photo", "input": {"query": "pasta"}}\n'


def examples() -> Iterator[Any]:
    for document in DOCUMENTS:
        text = document.read_text()
        for block in BLOCK.finditer(text):
            line = text[: block.start("language")].count("\n") + 1
            if block["reason"] is None:
                name = f"{document.relative_to(ROOT)}:{line}"
                yield pytest.param(block["language"], block["code"], id=name)


@pytest.fixture(scope="module")
def checkout(calo: Calo) -> Path:
    """Return a folder like a checkout, whose local run is the system. What the examples write stays in it."""
    folder: Path = calo.system.folder.parents[1]
    for path in ROOT.iterdir():
        if path.name in ("kinds", "tests"):
            shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif path.name not in (".local", ".git"):
            (folder / path.name).symlink_to(path)
    (folder / "topics.jsonl").write_text(TOPICS)
    return folder


@pytest.fixture
def ended_job(calo: Calo) -> str:
    """Return the id of a job that has ended."""
    with calo.live() as live:
        return str(live.wait_for_end(calo.create("pasta")["id"])["id"])


@pytest.fixture(autouse=True)
def nothing_remains(calo: Calo) -> Iterator[None]:
    """Delete the schedules and cancel the countdowns that an example has created."""
    schedules = [schedule["id"] for schedule in calo.get("schedules").json()["data"]]
    yield
    for schedule in calo.get("schedules").json()["data"]:
        if schedule["id"] not in schedules:
            calo.http.delete(f"schedules/{schedule['id']}").raise_for_status()
    calo.http.post("jobs/cancel", json={"kind": "countdown"}).raise_for_status()


@pytest.mark.parametrize(("language", "code"), list(examples()))
def test_an_example_works(calo: Calo, checkout: Path, ended_job: str, language: str, code: str) -> None:
    code = code.replace("localhost:8080", f"localhost:{calo.system.port}").replace("<job id>", ended_job)
    stream = checkout / "stream"
    stream.unlink(missing_ok=True)
    if language == "sh":
        code = SHELL + BACKGROUND.sub(STREAM, code)
    with run([*COMMANDS[language], code], checkout) as example:
        output, errors = example.communicate(timeout=120)
        assert example.returncode == 0, output + errors
        if stream.exists():
            eventually(lambda: '"status":"resolved"' in stream.read_text())
    if language != "sh":
        assert "resolved" in output.splitlines()[-1]


@contextlib.contextmanager
def run(command: list[str], folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a command in its own session. At the end, also stop what it has left in the background."""
    path = f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
