"""The names in AWS of the resources that alarms and the dashboard watch."""

from collections.abc import Callable
from dataclasses import dataclass

from infra.deployed_kinds import Kinds

Read = Callable[[str], str]
"""Returns the value that a stack publishes under a name. Raises RuntimeError if there is no such value."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The kinds, the construct ids of functions and queues, and methods that return their names in AWS.

    `read_jobs`, `read_api` and `read_live` read from CaloJobs, CaloApi and CaloLive. `read_live` is None if
    the relay is not deployed. Read only names that are used: cfn-lint reports parameters without a use.
    """

    kinds: Kinds
    jobs_functions: list[str]
    api_functions: list[str]
    queue_ids: list[str]
    read_jobs: Read
    read_api: Read
    read_live: Read | None

    @property
    def function_ids(self) -> list[str]:
        """The construct ids of the functions, without the relay's janitor."""
        return [*self.jobs_functions, *self.api_functions]

    def function(self, construct_id: str) -> str:
        """Return the function's name."""
        read = self.read_api if construct_id in self.api_functions else self.read_jobs
        return read(f"function/{construct_id}")

    def queue(self, construct_id: str) -> str:
        """Return the queue's name."""
        return self.read_jobs(f"queue/{construct_id}")

    @property
    def has_webhooks(self) -> bool:
        """Whether jobs can have webhooks."""
        return "WebhookNotices" in self.queue_ids

    @property
    def pipe(self) -> str:
        """The name of the Pipe."""
        return self.read_jobs("pipe")

    @property
    def create_job_log(self) -> str:
        """The name of create_job's log group."""
        return self.read_api("log/CreateJob")

    @property
    def api_log(self) -> str:
        """The name of the API's access log group, which has an entry for each call."""
        return self.read_api("log/api-calls")
