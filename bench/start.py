"""How long a stranger waits: a fresh clone to "ready" on `make run`, and the same once more."""

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.deployment import ROOT
from local.processes import free_ports

READY = re.compile(r"ready in ([\d.]+) s")
STAGE = re.compile(r"^\s+([\d.]+) s  (.*)$")
LIMIT_SECONDS = 600
OURS = ("VIRTUAL_ENV", "PYTHON", "MAKE", "MFLAGS", "PORT", "AWS_", "UNSPLASH_", "CALO_", "CDK_", "JSII_")
"""Beginnings of names."""


def measure() -> None:
    """Clone HEAD, run it twice, print a table."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "calo"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        print('\n"make run" on a fresh clone (s)\n')
        for name in ("first run", "second run"):
            with _running(clone) as (ready, stages):
                print(f"{name:12} ready after {ready:6.1f}")
                for stage in stages:
                    print(f"             {stage}")


@contextmanager
def _running(clone: Path) -> Iterator[tuple[float, list[str]]]:
    """Seconds from the command to "ready", and the stages it told of."""
    (port,) = free_ports(1)
    # what this bench runs in must not help the clone: no virtual environment, no settings of ours
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    environment["PATH"] = os.pathsep.join(
        part for part in os.environ["PATH"].split(os.pathsep) if not part.startswith(str(ROOT))
    )
    began = time.monotonic()
    child = subprocess.Popen(
        ["make", "run", f"PORT={port}"], cwd=clone, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        yield _wait_ready(child, began)
    finally:
        os.killpg(child.pid, signal.SIGINT)
        child.communicate(timeout=60)


def _wait_ready(child: "subprocess.Popen[str]", began: float) -> tuple[float, list[str]]:
    stages: list[str] = []
    assert child.stdout is not None
    for line in child.stdout:
        if STAGE.match(line):
            stages.append(line.strip())
        if READY.search(line):
            return time.monotonic() - began, stages
        if time.monotonic() - began > LIMIT_SECONDS:
            break
    raise RuntimeError(f"make run did not get ready: {stages}")
