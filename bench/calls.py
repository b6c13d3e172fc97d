"""The number of AWS calls per function that jobs need. Unit tests assert it; bench/cost.py prices it.

All jobs have the same topic, as most jobs do when there are many. The calls do not include storing images
and the calls that Lambda makes itself (receiving, deleting, reading the stream).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Calls:
    """Calls for `jobs` jobs that are processed in batches of `batch`."""

    jobs: int
    batch: int
    by_function: dict[str, dict[str, int]]

    def per_job(self, function: str, operation: str) -> float:
        """Return the calls of one operation by one function, per job."""
        return self.by_function[function].get(operation, 0) / self.jobs


FULL = Calls(
    jobs=90,
    batch=10,
    by_function={
        "create_job": {"PutItem": 90, "SendMessageBatch": 90},
        "job_worker": {"BatchGetItem": 9, "UpdateItem": 22, "SendMessageBatch": 9},
        "result_worker": {"UpdateItem": 90},
        "job_counter": {"BatchGetItem": 2, "TransactWriteItems": 2},
    },
)
"""With a backlog: nine full batches, and batches of ninety changes for the counter."""
LONE = Calls(
    jobs=30,
    batch=1,
    by_function={
        "create_job": {"PutItem": 30, "SendMessageBatch": 30},
        "job_worker": {"BatchGetItem": 30, "UpdateItem": 35, "SendMessageBatch": 30},
        "result_worker": {"UpdateItem": 30},
        "job_counter": {"BatchGetItem": 60, "TransactWriteItems": 60},
    },
)
"""One job after the other: each job is a batch, and so is each change for the counter."""
