"""What alarms and dashboard look at, by the names that the other stacks publish."""

from dataclasses import dataclass

from infra.stacks.api import ApiStack
from infra.stacks.base import CaloStack
from infra.stacks.jobs import JobsStack
from infra.stacks.live import LiveStack


@dataclass(frozen=True)
class Watched:
    """Names in AWS, read into `stack` when they are asked for. Functions and queues go by construct ids."""

    stack: CaloStack
    jobs: JobsStack
    api: ApiStack
    live: LiveStack | None

    @property
    def function_ids(self) -> list[str]:
        """The relay's janitor is not among them."""
        return [function.node.id for function in (*self.jobs.functions, *self.api.functions)]

    @property
    def queue_ids(self) -> list[str]:
        """The dead-letter queue of the relay's janitor is not among them."""
        return [queue.node.id for queue in self.jobs.watched_queues]

    def function(self, construct_id: str) -> str:
        """Return its name. Raises RuntimeError if no stack publishes it."""
        owners = {function.node.id: self.api for function in self.api.functions}
        return self.stack.read(owners.get(construct_id, self.jobs), f"function/{construct_id}")

    def queue(self, construct_id: str) -> str:
        """Return its name."""
        return self.stack.read(self.jobs, f"queue/{construct_id}")

    @property
    def pipe(self) -> str:
        """Its name."""
        return self.stack.read(self.jobs, "pipe")

    @property
    def create_job_log(self) -> str:
        """The name of the log group."""
        return self.stack.read(self.api, "log/CreateJob")

    @property
    def api_log(self) -> str:
        """The name of the log group with a line for each call."""
        return self.stack.read(self.api, "log/api-calls")
