"""Child processes: started with a log file each, waited for until they answer, ended by their pid."""

import contextlib
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
    """Something did not start; the message says what and shows the end of its log."""


class Process:
    """A child in a session of its own, so that Ctrl-C reaches only the parent, which ends it in order."""

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
        """Wait until `url` answers, whatever it answers. Raises StartError."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._child.poll() is not None:
                raise StartError(f"{self.name} ended at once:\n{self.tail()}")
            if answers(url):
                return
            time.sleep(0.05)
        raise StartError(f"{self.name} did not answer at {url} in {seconds:.0f} s:\n{self.tail()}")

    def tail(self, lines: int = 15) -> str:
        """The end of the log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def kill(self) -> None:
        """End it and all that it started at once, as a crash would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)  # its session is its own, and so is its group
        self._child.wait()

    def stop(self) -> None:
        """Ask it to end; then end what it started and left behind, or, after a while, all of it."""
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


def end_in_order() -> None:
    """Let SIGTERM end this process as Ctrl-C does, by KeyboardInterrupt, so that what it started ends too.

    (PR_SET_PDEATHSIG would not do: it kills the child when the thread that started it ends.) SIGINT is set
    as well, for a shell may have had it ignored.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def answers(url: str) -> bool:
    """Return whether anything answers HTTP there. The request goes straight there, never through a proxy."""
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        straight.open(url, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False
    return True


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on; all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def is_free(port: int) -> bool:
    """Can the front door listen there?"""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
