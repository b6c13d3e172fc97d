"""Retries jobs that ended in `error`, through the API, at a limited rate.

If they exceed the third party's budget, they wait for it like any job.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from calo.api import MAX_CHANGED, Api, Job


@dataclass(frozen=True)
class Redrive:
    """Retries jobs of one error code, or of all. `rate` is in jobs per second.

    For operators, `owner` selects whose jobs, or `*` all.
    """

    api: Api
    code: str | None
    owner: str | None
    rate: int
    sleep: Callable[[float], None]

    def find(self, limit: int) -> list[Job]:
        """Return up to `limit` jobs that would be retried, newest first. Raises CommandError."""
        return list(islice(self.api.jobs("error", self.code, self.owner), limit))

    def run(self, limit: int) -> int:
        """Retry up to `limit` jobs, newest first. Return how many were retried.

        Jobs that have failed again within ten minutes after a retry are left out. Raises CommandError; what
        was retried before stays retried.
        """
        retried, has_more = 0, True
        while has_more and retried < limit:
            changed, has_more = self.api.retry_jobs(
                self.code, min(self.rate, MAX_CHANGED, limit - retried), self.owner
            )
            retried += changed
            if has_more and retried < limit:
                self.sleep(max(changed, 1) / self.rate)
        return retried


def count_codes(jobs: list[Job]) -> Counter[str]:
    """Return the number of jobs with each error code."""
    return Counter(error_code(job) for job in jobs)


def error_code(job: Job) -> str:
    return str((job["error"] or {}).get("code", "unknown"))
