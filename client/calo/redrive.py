"""Retries jobs that ended in `error`, through the API, at a limited rate.

If they exceed the third party's budget, they wait for it like any job.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from calo.api import Api, Job, Retried


@dataclass(frozen=True)
class Redrive:
    """`rate` is in jobs per second."""

    api: Api
    rate: int
    sleep: Callable[[float], None]

    def find(self, code: str | None, limit: int, owner: str | None = None) -> list[Job]:
        """Return up to `limit` failed jobs, of one code or all, newest first. Raises CommandError."""
        failed = (job for job in self.api.jobs("error", owner) if code in (None, error_code(job)))
        return list(islice(failed, limit))

    def run(self, jobs: list[Job]) -> Counter[Retried]:
        """Retry the jobs and count the outcomes. Raises CommandError; jobs before that stay retried."""
        outcomes: Counter[Retried] = Counter()
        for number, job in enumerate(jobs):
            if number:
                self.sleep(1 / self.rate)
            outcomes[self.api.retry(job["id"])] += 1
        return outcomes


def count_codes(jobs: list[Job]) -> Counter[str]:
    """Return the number of jobs with each error code."""
    return Counter(error_code(job) for job in jobs)


def error_code(job: Job) -> str:
    return str((job["error"] or {}).get("code", "unknown"))
