"""The file by which the `calo` command finds a local run (`client/calo/local_run.py` reads it)."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from local.emulator import Emulator

NAME = "run.json"


def run_folder(root: Path, port: int) -> Path:
    """Return the folder of the run whose front door is at `port`."""
    return root / ".local" / f"run-{port}"


@contextmanager
def announced(folder: Path, url: str, emulator: Emulator) -> Iterator[None]:
    """Write the file, and remove it at the end.

    Only the current user may read it: it contains the emulator's credentials.
    """
    path = folder / NAME
    path.touch(mode=0o600)
    path.write_text(json.dumps({"pid": os.getpid(), "url": url, "emulator": asdict(emulator)}))
    yield
    path.unlink(missing_ok=True)
