"""Child processes, each with a log file, stopped by their process id."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

STOP_SECONDS = 20.0


class StartError(RuntimeError):
    """A component did not start. The message names it and has the end of its log."""


class Process:
    """A child process in its own session, so that Ctrl-C reaches only the parent, which stops it."""

    def __init__(
        self, name: str, command: list[str], environment: Mapping[str, str], log: Path, cwd: Path
    ) -> None:
        self.name = name
        self._log = log
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    def wait_ready(self, url: str, seconds: float = 60.0) -> None:
        """Wait until `url` answers with any status. Raises StartError."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._child.poll() is not None:
                raise StartError(f"{self.name} exited:\n{self.tail()}")
            if answers(url):
                return
            time.sleep(0.05)
        raise StartError(f"{self.name} did not answer at {url} in {seconds:.0f} s:\n{self.tail()}")

    def exit_status(self) -> int | None:
        """Return the exit status, negative for a signal, or None while the process runs."""
        return self._child.poll()

    def note(self, text: str) -> None:
        """Append a line to the log."""
        with self._log.open("a") as log:
            log.write(json.dumps({"level": "WARNING", "message": text}) + "\n")

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of the log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def kill(self) -> None:
        """Kill it and its child processes, like a crash."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)  # it leads its own process group
        self._child.wait()

    def stop(self) -> None:
        """Terminate it. When it has exited, or after `STOP_SECONDS`, kill its process group."""
        if self._child.poll() is None:
            self._child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(STOP_SECONDS)
        self.kill()

    def __enter__(self) -> "Process":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def raise_on_sigterm() -> None:
    """Make SIGTERM raise KeyboardInterrupt, like Ctrl-C, so that child processes are stopped.

    PR_SET_PDEATHSIG cannot be used: it kills the child when the thread that started it ends. SIGINT is set
    as well, because a shell may have made the process ignore it.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def answers(url: str) -> bool:
    """Return whether anything answers HTTP there. The request never goes through a proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(url, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False
    return True


def free_ports(count: int) -> list[int]:
    """Return different free ports of the loopback address."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]
    finally:
        for probe in sockets:
            probe.close()


def loopback_addresses() -> list[str]:
    """Return the loopback addresses of this machine: `localhost` may be either of them."""
    return ["127.0.0.1", "::1"] if _can_bind("::1", 0) else ["127.0.0.1"]


def is_free(port: int) -> bool:
    """Return whether the front door can listen on the port."""
    return all(_can_bind(address, port) for address in loopback_addresses())


def _can_bind(address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError:
        return False
    return True
