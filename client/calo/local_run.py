"""Finds the local runs that `make run` started."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from calo.aws import emulator_client, session

FOLDER = ".local"
STATE_FILE = "run.json"


@dataclass(frozen=True)
class LocalRun:
    """A local run: the port and URL of its front door, and the folder with its logs.

    `client` returns boto3 clients of its emulator by service.
    """

    port: int
    url: str
    folder: Path
    client: Callable[[str], Any]


def local_runs(start: Path | None = None) -> list[LocalRun]:
    """Return the local runs of the checkout that `start`, or the current folder, is in, by port."""
    start = start or Path.cwd()
    for parent in [start, *start.parents]:
        if (folder := parent / FOLDER).is_dir():
            runs = [_read(state_file) for state_file in folder.glob(f"run-*/{STATE_FILE}")]
            return sorted((run for run in runs if run), key=lambda run: run.port)
    return []


def _read(state_file: Path) -> LocalRun | None:
    """Return the run, or None if it has ended. A run that was killed leaves its file behind."""
    try:
        state = json.loads(state_file.read_text())
        os.kill(state["pid"], 0)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None
    except PermissionError:
        pass  # the process exists and belongs to another user
    port = int(state_file.parent.name.removeprefix("run-"))
    return LocalRun(port, state["url"], state_file.parent, partial(_client, state["emulator"]))


def _client(emulator: dict[str, str], service: str) -> Any:
    """Return a boto3 client of the emulator. Raises CommandError without boto3."""
    emulator_session = session(
        region_name=emulator["region"],
        aws_access_key_id=emulator["access_key"],
        aws_secret_access_key=emulator["secret_key"],
    )
    return emulator_client(emulator_session, service, endpoint=emulator["endpoint"])
