"""Run a kind's work for received jobs. Whatever happens in it, each job has an outcome."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import msgspec

from functions.common.decode import is_encodable
from functions.common.errors import Cancelled, Permanent, RateLimited, Transient, WorkError
from functions.common.job import MAX_JSON, Job, parse_object
from functions.common.kind import BatchJob, Kind
from functions.common.messages import ResultMessage, job_message, log_fields, message_fields
from functions.common.names import CODE
from functions.common.observability import logger
from functions.job_worker.context import JobContext, Tools
from functions.job_worker.progress import JobProgress, ProgressTimer
from functions.job_worker.report import DROPPED, NOT_RUN, Outcome, ReceivedJob
from functions.job_worker.time_limit import TimedOut, time_limit

MAX_MESSAGE = 500
MAX_LATE_MS = 3600 * 1000
MAX_WAIT_MS = 32 * 24 * 3600 * 1000
"""Longer than the longest window of a budget."""


@dataclass(frozen=True)
class _Run:
    """A received job whose work runs, and what its kind gets of it."""

    received: ReceivedJob
    context: JobContext
    batch_job: BatchJob[Any]

    @property
    def job(self) -> Job:
        return self.received.job


@dataclass(frozen=True)
class WorkRunner:
    """Runs the work of one kind.

    `new_progress` returns what publishes the progress of an attempt, `timer` writes what silent work has
    left, `limit` interrupts work after a number of seconds.
    """

    kind: Kind
    tools: Tools
    new_progress: Callable[[Job], JobProgress]
    timer: Callable[[list[JobProgress]], AbstractContextManager[None]] = ProgressTimer
    limit: Callable[[float], AbstractContextManager[None]] = time_limit

    def run(self, received: list[ReceivedJob], seconds: float) -> Iterator[tuple[ReceivedJob, Outcome]]:
        """Yield the outcome of each job. The work of all of them may take `seconds`."""
        ends_at = self.tools.monotonic() + min(seconds, self.kind.timeout)
        runs: list[_Run] = []
        for item in received:
            context = JobContext(self.tools, item.job, self.new_progress(item.job), ends_at)
            try:
                job_input = msgspec.convert(item.job.input, self.kind.input)
            except msgspec.ValidationError as error:  # it was accepted by another version of the kind
                yield item, Permanent("bad_input", f"the input is not valid any more: {error}")
            else:
                runs.append(_Run(item, context, BatchJob(item.job.id, job_input, context)))
        with self.timer([run.context.state for run in runs]):
            outcomes = self._run_batch(runs) if self.kind.batch > 1 else [self._run_one(run) for run in runs]
        for run, outcome in zip(runs, outcomes, strict=True):
            if isinstance(outcome, (RateLimited, Transient)):  # the job stays pending
                run.context.state.flush(now=True)
            run.context.state.close()
            yield run.received, outcome

    def _run_one(self, run: _Run) -> Outcome:
        try:
            with self.limit(run.context.deadline):
                output = self.kind.work(run.batch_job.input, run.context)
        except (Exception, SystemExit, Cancelled, TimedOut) as error:  # noqa: BLE001  # each has an outcome
            return self._outcome_of(error, run.job)
        return self._outcome_of(output, run.job)

    def _run_batch(self, runs: list[_Run]) -> list[Outcome]:
        """Run the work of a whole batch.

        If it is interrupted, the first job without an outcome is the one that took too long. If it raises an
        exception, that is the outcome of all jobs without one.
        """
        if not runs:
            return []
        by_id = {run.job.id: run for run in runs}
        outcomes: dict[str, Outcome] = {}
        rest: Outcome = Transient("failed", "the work had no outcome for this job")
        context = runs[0].context
        try:
            with self.limit(context.deadline):
                for job, value in self.kind.work([run.batch_job for run in runs], context):
                    outcomes[job.id] = self._outcome_of(value, by_id[job.id].job)
        except TimedOut as error:
            rest = NOT_RUN
            slow = next((run.job for run in runs if run.job.id not in outcomes), None)
            if slow is not None:
                outcomes[slow.id] = self._outcome_of(error, slow)
        except Cancelled:
            rest = NOT_RUN
            outcomes |= {run.job.id: DROPPED for run in runs if run.context.state.was_cancelled}
        except (Exception, SystemExit) as error:  # noqa: BLE001  # each job has an outcome
            rest = self._outcome_of(error, runs[0].job)
        return [outcomes.get(run.job.id, rest) for run in runs]

    def _outcome_of(self, value: object, job: Job) -> Outcome:
        """Return the outcome for what the work has returned, raised or yielded."""
        if isinstance(value, self.kind.output):
            return self._check_output(value, job)
        if isinstance(value, WorkError):
            return _checked_error(value)
        if isinstance(value, RateLimited):
            return self._check_wait(value, job)
        if isinstance(value, Cancelled):
            return DROPPED
        if isinstance(value, TimedOut):
            return Transient("timeout", f"the work took longer than {self.kind.timeout} s")
        if isinstance(value, BaseException):
            return _unexpected(value, job)
        returned, expected = type(value).__name__, self.kind.output.__name__
        return Permanent("bad_output", f"the work returned {returned} instead of {expected}")

    def _check_wait(self, wait: RateLimited, job: Job) -> Outcome:
        """Return the wait, or an error if its time is not a number or far from now, such as seconds.

        A wait until a time in the past would be repeated forever, because it uses no attempt.
        """
        now, retry_at = self.tools.clock(), wait.retry_at
        if isinstance(retry_at, (int, float)) and now - MAX_LATE_MS <= retry_at <= now + MAX_WAIT_MS:
            return RateLimited(max(int(retry_at), now))
        return _unexpected(wait, job)

    def _check_output(self, output: msgspec.Struct, job: Job) -> Outcome:
        """Return the output as a message, or an error if it is not as declared or too large."""
        try:
            encoded = msgspec.json.encode(output)
            msgspec.json.decode(encoded, type=self.kind.output)
            text = encoded.decode()
            parse_object(text)
        except (msgspec.ValidationError, TypeError, ValueError, RecursionError) as error:
            return Permanent("bad_output", f"the output is not as declared: {error}"[:MAX_MESSAGE])
        if len(encoded) > MAX_JSON:
            message = f"the output has {len(encoded)} bytes; store more than {MAX_JSON} as a file"
            return Permanent("bad_output", message)
        return ResultMessage(**message_fields(job), output=text)


def _unexpected(error: BaseException, job: Job) -> Transient:
    """Log an error and return its outcome. Callers see its type only."""
    logger.error("the work failed unexpectedly", exc_info=error, extra=log_fields(job_message(job)))
    return Transient("failed", f"the work failed unexpectedly ({type(error).__name__})")


def _checked_error(error: WorkError) -> WorkError:
    """Return the error, or the same with a code and a message that can be stored and counted."""
    code = error.code if isinstance(error.code, str) and CODE.fullmatch(error.code) else "failed"
    message = str(error.message)[:MAX_MESSAGE]
    if not is_encodable(message):
        message = message.encode(errors="replace").decode()
    kind = Permanent if isinstance(error, Permanent) else Transient
    return kind(code, message)
