"""How many AWS calls jobs cost, by function: asserted by the unit tests, priced by bench/cost.py.

All jobs are of one topic, as most are where there are many. Image puts and what Lambda itself calls
(receiving, deleting, reading the stream) are not counted here.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Calls:
    """Calls for `jobs` jobs that are worked `batch` at a time."""

    jobs: int
    batch: int
    by_function: dict[str, dict[str, int]]

    def per_job(self, function: str, operation: str) -> float:
        """Of one operation by one function."""
        return self.by_function[function].get(operation, 0) / self.jobs


FULL = Calls(
    jobs=90,
    batch=10,
    by_function={
        "create_job": {"PutItem": 90, "SendMessage": 90},
        "job_worker": {"BatchGetItem": 9, "UpdateItem": 23, "SendMessageBatch": 9},
        "result_worker": {"UpdateItem": 90},
        "job_counter": {"BatchGetItem": 2, "TransactWriteItems": 2},
    },
)
"""In a backlog: nine full batches, and ninety changes at a time for the counter."""
LONE = Calls(
    jobs=30,
    batch=1,
    by_function={
        "create_job": {"PutItem": 30, "SendMessage": 30},
        "job_worker": {"BatchGetItem": 30, "UpdateItem": 36, "SendMessageBatch": 30},
        "result_worker": {"UpdateItem": 30},
        "job_counter": {"BatchGetItem": 60, "TransactWriteItems": 60},
    },
)
"""One job after the other, each change counted for itself."""
