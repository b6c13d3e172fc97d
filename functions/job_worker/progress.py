"""Publish the progress of running jobs, and notice that they were cancelled."""

import threading
from collections.abc import Callable
from types import TracebackType

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.errors import Cancelled
from functions.common.job import Job, Progress
from functions.common.messages import job_message, log_fields
from functions.common.observability import logger
from functions.common.store import JobStore, progressed

INTERVAL = 1.0
"""Seconds between two writes of a job, and between two looks at whether it was cancelled."""
POLL_SECONDS = 0.1
MAX_MESSAGE = 200


class JobProgress:
    """The progress of one attempt at one job. Used by the work and by the timer, each in its own thread.

    Every write is conditional on the job's due time, so a value of an earlier attempt never replaces one of
    a later attempt, and nothing is written after the end.
    """

    def __init__(self, store: JobStore, job: Job, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._job = job
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._unwritten: Progress | None = None
        self._looked_at = float("-inf")
        self._is_closed = False
        self.was_cancelled = False

    def set(self, fraction: float | None, message: str | None) -> None:
        """Publish a value now or, if another was published within the last second, a little later.

        Raises Cancelled, or ValueError if the fraction is not from 0 to 1.
        """
        progress = storable_progress(fraction, message)
        with self._lock:
            self._unwritten = progress
        self.flush()
        self._raise_if_cancelled()

    def flush(self, *, now: bool = False) -> None:
        """Write the latest value if it is time to, or in any case."""
        with self._lock:
            unwritten = self._unwritten
            if unwritten is not None and not self._is_closed and (now or self._is_time()):
                self._look(lambda: self._write(unwritten))

    def check(self) -> None:
        """Raise Cancelled if the job was cancelled. Looks at most once a second."""
        self.flush()
        with self._lock:
            if self._is_time():
                self._look(self._read)
        self._raise_if_cancelled()

    def close(self) -> None:
        """Write nothing more."""
        with self._lock:
            self._is_closed = True

    def _raise_if_cancelled(self) -> None:
        if self.was_cancelled:
            raise Cancelled

    def _is_time(self) -> bool:
        return self._monotonic() - self._looked_at >= INTERVAL

    def _look(self, look: Callable[[], bool]) -> None:
        self._looked_at = self._monotonic()
        self.was_cancelled = self.was_cancelled or not look()

    def _write(self, progress: Progress) -> bool:
        (outcome,) = self._store.update_all([progressed(self._job, progress)])
        if outcome != "failed":  # it is tried again
            self._unwritten = None
        return outcome != "unchanged"

    def _read(self) -> bool:
        try:
            job = self._store.get_many([self._job.id]).get(self._job.id)
        except (BotoCoreError, ClientError):  # it is not known, so the work continues
            logger.warning("job not read", extra=log_fields(job_message(self._job)), exc_info=True)
            return True
        return job is not None and (job.status, job.run) == ("pending", self._job.run)


class ProgressTimer:
    """A context manager that writes what silent work has left."""

    def __init__(self, jobs: list[JobProgress]) -> None:
        self._jobs = jobs
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            for job in self._jobs:
                job.flush()


def storable_progress(fraction: float | None, message: str | None) -> Progress:
    """Return the progress with a shortened message. Raises ValueError if the fraction is not from 0 to 1."""
    if fraction is not None:
        if not 0 <= fraction <= 1:
            raise ValueError(f"the fraction of a progress must be from 0 to 1, not {fraction}")
        fraction = round(float(fraction), 4)
    if message is not None:  # UTF-8 cannot encode some characters
        message = str(message)[:MAX_MESSAGE].encode(errors="replace").decode()
    return Progress(fraction=fraction, message=message)
