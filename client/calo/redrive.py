"""Retries jobs that ended in `error`, through the API, at a limited rate.

If they exceed the third party's budget, they wait for it like any job.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from calo.blocking import BlockingCalo
from calo.change import Change

MAX_CHANGED = 100
"""Jobs that a call changes at most."""


@dataclass(frozen=True)
class Redrive:
    """Retries jobs of one error code, or of all. `rate` is in jobs per second.

    For operators, `owner` selects whose jobs, or `*` all. Every method raises CaloError.
    """

    client: BlockingCalo
    code: str | None
    owner: str | None
    rate: int
    sleep: Callable[[float], None]

    def find(self, limit: int) -> list[Change]:
        """Return up to `limit` jobs that would be retried, newest first."""
        filters = {name: value for name, value in (("code", self.code), ("owner", self.owner)) if value}
        return list(islice(self.client.jobs(status="error", **filters), limit))

    def run(self, limit: int) -> int:
        """Retry up to `limit` jobs, newest first. Return how many were retried.

        Jobs that have failed again within ten minutes after a retry are left out. If a call fails, what was
        retried before stays retried.
        """
        retried, has_more = 0, True
        while has_more and retried < limit:
            changed, has_more = self._retry(min(self.rate, MAX_CHANGED, limit - retried))
            retried += changed
            if has_more and retried < limit:
                self.sleep(max(changed, 1) / self.rate)
        return retried

    def _retry(self, limit: int) -> tuple[int, bool]:
        """Retry up to `limit` jobs. Return how many, and whether there may be more."""
        body = {"limit": limit} | ({"code": self.code} if self.code else {})
        query = {"owner": self.owner} if self.owner else {}
        answer = self.client.call("POST", "/jobs/retry", query=query, body=body)
        return answer["changed"], answer["more"]


def count_codes(jobs: list[Change]) -> Counter[str]:
    """Return the number of jobs with each error code."""
    return Counter(str((job.error or {}).get("code", "unknown")) for job in jobs)
