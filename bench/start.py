"""Time from `make run` to "ready": on a fresh clone, and again on the same clone."""

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
REMOVED_PREFIXES = (
    "VIRTUAL_ENV",
    "PYTHON",
    "MAKE",
    "MFLAGS",
    "PORT",
    "AWS_",
    "UNSPLASH_",
    "CALO_",
    "CDK_",
    "JSII_",
)
"""Environment variables with these prefixes are not passed to the clone."""


def measure() -> None:
    """Clone HEAD, run it twice and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "calo"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        print('\n"make run" on a fresh clone (seconds)\n')
        for name in ("first run", "second run"):
            with _running(clone) as (ready, stages):
                print(f"{name:12} ready after {ready:6.1f}")
                for stage in stages:
                    print(f"             {stage}")


@contextmanager
def _running(clone: Path) -> Iterator[tuple[float, list[str]]]:
    """Run `make run`. Yield the seconds from the command to "ready", and the stages that it printed."""
    (port,) = free_ports(1)
    # the environment of this process must not help the clone: remove its virtual environment and settings
    environment = {name: value for name, value in os.environ.items() if not name.startswith(REMOVED_PREFIXES)}
    environment["PATH"] = os.pathsep.join(
        folder for folder in os.environ["PATH"].split(os.pathsep) if not folder.startswith(str(ROOT))
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
    """Return the seconds since `began`, and the stages. Raise RuntimeError if the system does not start."""
    stages: list[str] = []
    assert child.stdout is not None
    for line in child.stdout:
        if STAGE.match(line):
            stages.append(line.strip())
        if READY.search(line):
            return time.monotonic() - began, stages
        if time.monotonic() - began > LIMIT_SECONDS:
            break
    raise RuntimeError(f'`make run` did not print "ready"; its stages: {stages}')
