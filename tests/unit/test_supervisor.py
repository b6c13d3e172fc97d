"""A process that dies is started again."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.processes import Process, StartError
from local.supervisor import FIRST_PAUSE, LONGEST_PAUSE, STABLE_SECONDS, Supervisor


class Run:
    """A process that sleeps, what the user was told, and the time in seconds."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "relay.log"
        self.now = 0.0
        self.told: list[str] = []
        self.started: list[Process] = []
        self.error: StartError | None = None
        self.supervisor = Supervisor(self.start(), self.start, self.told.append, lambda: self.now)

    def start(self) -> Process:
        if self.error:
            raise self.error
        command = [sys.executable, "-c", "import time; time.sleep(600)"]
        self.started.append(Process("relay", command, os.environ, self.log, self.log.parent))
        return self.started[-1]

    def die(self) -> None:
        os.kill(self.supervisor.process.pid, signal.SIGKILL)
        self.supervisor.process._child.wait()

    def pause(self) -> float:
        """Return how long the supervisor waits before it starts the process again."""
        self.supervisor.check()
        count, begin = len(self.started), self.now
        while len(self.started) == count:
            self.now += 0.5
            self.supervisor.check()
        return self.now - begin


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    run = Run(tmp_path)
    yield run
    for process in run.started:
        process.stop()


def test_a_process_that_runs_is_left_alone(run: Run) -> None:
    run.supervisor.check()
    assert (len(run.started), run.told) == (1, [])


def test_a_process_that_died_is_started_again_and_the_user_is_told(run: Run) -> None:
    run.die()
    assert run.pause() == FIRST_PAUSE
    assert run.supervisor.process.exit_status() is None
    assert run.told == ["relay died with status -9; starting it again in 1 s", "relay runs again"]
    assert "died with status -9" in run.log.read_text()


def test_the_pause_doubles_while_the_process_dies_early(run: Run) -> None:
    pauses = []
    for _ in range(7):
        run.die()
        pauses.append(run.pause())
    assert pauses == [1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE]
    run.now += STABLE_SECONDS + 1
    run.die()
    assert run.pause() == FIRST_PAUSE


def test_a_process_that_does_not_start_is_tried_again(run: Run) -> None:
    run.die()
    run.error = StartError("relay exited: no memory")
    run.supervisor.check()
    run.now += FIRST_PAUSE
    run.supervisor.check()
    assert run.told[-1] == "relay did not start: relay exited: no memory; starting it again in 2 s"
    run.error = None
    assert run.pause() == 2
