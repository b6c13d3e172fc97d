"""Start a process again that has died."""

from collections.abc import Callable

from local.processes import Process, StartError

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between the death of a process and its next start. They double while it dies early."""
STABLE_SECONDS = 60.0
"""A process that has run for so long did not die early."""


class Supervisor:
    """Watches one process. `start` starts it, `say` tells the user, `monotonic` returns seconds."""

    def __init__(
        self,
        process: Process,
        start: Callable[[], Process],
        say: Callable[[str], None],
        monotonic: Callable[[], float],
    ) -> None:
        self.process = process
        self._start = start
        self._say = say
        self._monotonic = monotonic
        self._started_at = monotonic()
        self._restart_at: float | None = None
        self._pause = FIRST_PAUSE

    def check(self) -> None:
        """Start the process again if it has died and the pause has ended."""
        status = self.process.exit_status()
        if status is None:
            return
        now = self._monotonic()
        if self._restart_at is None:
            if now - self._started_at > STABLE_SECONDS:
                self._pause = FIRST_PAUSE
            self._plan_restart(now, f"died with status {status}")
        elif now >= self._restart_at:
            self._restart(now)

    def _restart(self, now: float) -> None:
        self._started_at = now
        try:
            self.process = self._start()
        except StartError as error:
            self._plan_restart(now, f"did not start: {error}")
        else:
            self._restart_at = None
            self._tell("runs again")

    def _plan_restart(self, now: float, reason: str) -> None:
        self._restart_at = now + self._pause
        self._tell(f"{reason}; starting it again in {self._pause:.0f} s")
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _tell(self, text: str) -> None:
        self._say(f"{self.process.name} {text}")
        self.process.note(text)
