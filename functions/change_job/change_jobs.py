"""Change many jobs on behalf of a caller: cancel or retry those that match a filter, newest first.

Repeating a call until nothing is left ends, whatever happens meanwhile: what was cancelled does not match any
more, and what was retried is left out for a while, even if it has failed again.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from functions.change_job.change_job import JobChanger, operator_fields
from functions.common.caller import caller_of
from functions.common.clock import Clock
from functions.common.errors import Problem
from functions.common.find_jobs import JobFinder
from functions.common.identity import Identity
from functions.common.job import Job
from functions.common.job_filter import JobFilter
from functions.common.messages import job_message, log_fields
from functions.common.observability import count, logger
from functions.common.store import UpdateOutcome
from functions.common.wake import Waker

SEARCH_MS = 4000
"""How long a call looks for jobs. The function's timeout is ten seconds."""
RETRIED_MS = 10 * 60_000
"""A job that was retried and has failed again within this time is not retried by a filter."""
Change = Callable[[list[Job]], list[UpdateOutcome]]


@dataclass(frozen=True)
class Selection:
    """Which jobs to change: up to `limit` of an owner's that match."""

    owner: str
    wanted: JobFilter
    limit: int


@dataclass(frozen=True)
class BulkChanger:
    """Changes the jobs that `finder` finds, by the means of `changer`."""

    changer: JobChanger
    finder: JobFinder
    clock: Clock

    def cancel(self, selection: Selection, identity: Identity) -> tuple[int, bool]:
        """End pending jobs as `cancelled`. Return how many were changed, and whether there may be more.

        Raises Problem 409 if no job was found in time, 503 if none could be written.
        """

        def cancel(jobs: list[Job]) -> list[UpdateOutcome]:
            outcomes = self.changer.store.cancel_all(jobs)
            cancelled = [outcome for outcome in outcomes if isinstance(outcome, Job)]
            count("JobsCancelled", len(cancelled))
            _log("job cancelled", cancelled, identity)
            return outcomes

        return self._change(selection, lambda _: True, cancel)

    def retry(self, selection: Selection, identity: Identity, address: str) -> tuple[int, bool]:
        """Make jobs pending again and queue them. Return and raise the same as `cancel`.

        Jobs whose kind does not exist any more are left out. A job that cannot be queued is pending, and the
        watchdog will queue it.
        """
        latest = self.clock() - RETRIED_MS

        def is_retriable(job: Job) -> bool:
            has_failed_again = job.run > 1 and job.status == "error" and job.updated_at > latest
            return job.kind in self.changer.queues and not has_failed_again

        def retry(jobs: list[Job]) -> list[UpdateOutcome]:
            salt = self.changer.salt
            outcomes = self.changer.store.reopen_all(
                [(job, caller_of(job.owner, address, salt)) for job in jobs]
            )
            reopened = [outcome for outcome in outcomes if isinstance(outcome, Job)]
            self._send(reopened)
            count("JobsRetriedByCallers", len(reopened))
            _log("job reopened", reopened, identity)
            return outcomes

        return self._change(selection, is_retriable, retry)

    def _change(
        self, selection: Selection, is_wanted: Callable[[Job], bool], change: Change
    ) -> tuple[int, bool]:
        """Change jobs until the limit is reached, the time has passed or there are no more.

        A job that another call has changed first, or that cannot be written, is not counted and does not
        keep the call from changing older ones.
        """
        latest, limit = self.clock() + SEARCH_MS, selection.limit
        changed = failed = 0
        for jobs, has_more in self.finder.all(selection.owner, selection.wanted):
            remaining = [job for job in jobs if is_wanted(job)]
            while remaining and changed < limit:
                size = limit - changed
                outcomes = change(remaining[:size])
                remaining = remaining[size:]
                changed += sum(isinstance(outcome, Job) for outcome in outcomes)
                failed += outcomes.count("failed")
            if changed == limit:
                return changed, has_more or bool(remaining)
            if has_more and self.clock() >= latest:
                if not changed:
                    raise Problem(409, "too many newer jobs do not match; name a kind, or change jobs by id")
                return changed, True
        if failed and not changed:
            raise Problem(503, "try again later", headers={"Retry-After": "1"})
        return changed, failed > 0

    def _send(self, jobs: list[Job]) -> None:
        by_kind: dict[str, list[Job]] = defaultdict(list)
        for job in jobs:
            by_kind[job.kind].append(job)
        for kind, of_kind in by_kind.items():
            Waker(self.changer.store, self.changer.queues[kind], self.clock).send(of_kind)


def _log(message: str, jobs: list[Job], identity: Identity) -> None:
    for job in jobs:
        logger.info(
            message, extra=log_fields(job_message(job), version=job.version, **operator_fields(identity))
        )
