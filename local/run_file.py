"""What a local run leaves in its folder while it is up, so that other commands find it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from local.emulator import Emulator

NAME = "run.json"


@dataclass(frozen=True)
class LocalRun:
    """A local run that is up: its front door, its emulator, and the folder with its logs."""

    url: str
    emulator: Emulator
    folder: Path


def folder_of(root: Path, port: int) -> Path:
    """Of the run whose front door is at the port."""
    return root / ".local" / f"run-{port}"


@contextmanager
def announced(run: LocalRun) -> Iterator[None]:
    """Findable from now on. The file is for this user alone: it has the emulator's credentials."""
    path = run.folder / NAME
    text = json.dumps({"pid": os.getpid(), "url": run.url, "emulator": asdict(run.emulator)})
    path.touch(mode=0o600)
    path.write_text(text)
    yield
    path.unlink(missing_ok=True)


def find(folder: Path) -> LocalRun | None:
    """The run of this folder, or None if it is not up (one that was killed leaves its file behind)."""
    try:
        state = json.loads((folder / NAME).read_text())
    except (FileNotFoundError, ValueError):
        return None
    try:
        os.kill(state["pid"], 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # somebody else's, and alive
    return LocalRun(state["url"], Emulator(**state["emulator"]), folder)
