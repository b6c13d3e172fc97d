"""Child processes end with the process that started them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.deployment import ROOT
from tests.relay.process import wait_for

SLEEPER = """
import sys
import time
from pathlib import Path

import pytest

from local.processes import Process

FOLDER = Path(__file__).parent

@pytest.fixture(scope="session")
def child():
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with Process("child", command, {}, FOLDER / "log", FOLDER) as process:
        (FOLDER / "pid.draft").write_text(str(process.pid))
        (FOLDER / "pid.draft").rename(FOLDER / "pid")
        yield

def test_long(child):
    time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_sigterm_to_a_test_run_ends_its_child_processes(tmp_path: Path) -> None:
    (tmp_path / "test_sleeper.py").write_text(SLEEPER)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    run = subprocess.Popen([*command, str(tmp_path)], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        wait_for((tmp_path / "pid").exists)
        child = int((tmp_path / "pid").read_text())
        assert is_alive(child)
        run.terminate()
        assert run.wait(timeout=60) == pytest.ExitCode.INTERRUPTED
        assert not is_alive(child)
    finally:
        run.kill()
        run.wait()
