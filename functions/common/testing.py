"""Run a kind in a test: in this process, without AWS, with a clock that does not wait.

    result = run(KIND, {"seconds": 3})
    assert result.output == Output(seconds=3)

This module is not deployed. It needs moto, which keeps the ledger table in memory.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import IO, Any
from uuid import uuid4

import boto3
import msgspec
from moto import mock_aws

from functions.common.budget import Limits
from functions.common.errors import Cancelled, Problem, RateLimited, Transient, WorkError
from functions.common.job import Job
from functions.common.kind import Files, Http, Kind
from functions.common.kind_input import parse_input
from functions.common.ledger import Ledger, Share, Window
from functions.common.messages import ResultMessage, job_message
from functions.job_worker.context import Tools, UntrustedHttp, check_file_name
from functions.job_worker.progress import JobProgress, storable_progress
from functions.job_worker.report import Outcome, ReceivedJob
from functions.job_worker.run_work import WorkRunner
from functions.job_worker.time_limit import TimedOut

START_MS = 1_760_000_000_000
"""The time at which a test begins (epoch ms)."""


class InvalidInput(ValueError):
    """The API would refuse this input. The text is what callers see."""


@dataclass(frozen=True)
class Result:
    """What the work of a job did.

    outcome: an instance of the kind's output; the Permanent, Transient or RateLimited that the worker would
        report (a bug of the kind is a Transient with the code `failed`); or None if the job was cancelled, or
        its batch was interrupted before its turn.
    progress: all values that the work has published: (fraction, message).
    spent: units of each budget that were spent, by the whole batch.
    files: what was stored, also by earlier jobs: (content, content type) by name.
    """

    outcome: Any
    progress: list[tuple[float | None, str | None]]
    spent: Mapping[str, int]
    files: Mapping[str, tuple[bytes, str]]

    @property
    def output(self) -> Any:
        """The output. Raises the error if the work has failed."""
        if isinstance(self.outcome, (WorkError, RateLimited)):
            raise self.outcome
        return self.outcome


def run(kind: Kind, job_input: Mapping[str, Any], **options: Any) -> Result:
    """Run the work of one job. The options are those of Harness and of Harness.run."""
    names = Harness.__dataclass_fields__
    with Harness(kind, **{name: value for name, value in options.items() if name in names}).open() as harness:
        return harness.run(job_input, **{name: value for name, value in options.items() if name not in names})


@dataclass
class Harness:
    """Runs jobs of a kind one after another, with one ledger and one clock.

    secrets: by name; otherwise the environment variable of the name in upper case.
    http: replaces `context.http`.
    now: the time (epoch ms). Sleeping moves it, and a test may.
    """

    kind: Kind
    secrets: Mapping[str, str] = field(default_factory=dict)
    http: Http = field(default_factory=UntrustedHttp)
    now: int = START_MS

    @contextmanager
    def open(self) -> Iterator["Harness"]:
        """Create the ledger in memory."""
        with mock_aws():
            dynamodb = boto3.client(
                "dynamodb",
                region_name="us-east-1",
                aws_access_key_id="testing",
                aws_secret_access_key="testing",  # noqa: S106
            )
            table = f"ledger-{uuid4()}"
            dynamodb.create_table(
                TableName=table,
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
            self._ledger = _CountingLedger(dynamodb, table)
            self._files = _MemoryFiles(self.kind.name)
            yield self

    def run(
        self, job_input: Mapping[str, Any], *, attempt: int = 1, cancel_after: float | None = None
    ) -> Result:
        """Run the work of one job. It is cancelled after `cancel_after` seconds of the clock."""
        (result,) = self.run_batch([job_input], attempt=attempt, cancel_after=cancel_after)
        return result

    def run_batch(
        self, inputs: Sequence[Mapping[str, Any]], *, attempt: int = 1, cancel_after: float | None = None
    ) -> list[Result]:
        """Run the work of several jobs, as one batch if the kind works on batches.

        Raises InvalidInput.
        """
        jobs = [self._job(job_input, attempt) for job_input in inputs]
        cancelled_at = None if cancel_after is None else self.now + round(1000 * cancel_after)
        progress = {job.id: _RecordedProgress(self, cancelled_at) for job in jobs}
        self._ends_at = self._monotonic() + self.kind.timeout
        self._ledger.spent = Counter()
        runner = WorkRunner(
            self.kind,
            self._tools(),
            lambda job: progress[job.id],
            timer=lambda _: nullcontext(),
            limit=lambda _: nullcontext(),
        )
        received = [ReceivedJob(job.id, job.id, job_message(job), job) for job in jobs]
        outcomes = {item.job.id: outcome for item, outcome in runner.run(received, self.kind.timeout)}
        return [
            Result(
                self._outcome(outcomes[job.id]),
                progress[job.id].values,
                self._ledger.spent,
                dict(self._files.stored),
            )
            for job in jobs
        ]

    def _job(self, job_input: Mapping[str, Any], attempt: int) -> Job:
        try:
            complete = parse_input(dict(job_input), self.kind, "input")
        except Problem as problem:
            raise InvalidInput(problem.detail) from None
        return Job(
            id=str(uuid4()),
            kind=self.kind.name,
            input=complete,
            attempts=attempt - 1,
            created_at=self.now,
            updated_at=self.now,
            caller="test",
        )

    def _tools(self) -> Tools:
        return Tools(
            kind=self.kind.name,
            ledger=self._ledger,
            budgets={
                budget.name: Limits(budget.limit, budget.seconds, budget.limit)
                for budget in self.kind.budgets
            },
            files=self._files if self.kind.stores_files else None,
            read_secret=self._secret,
            clock=lambda: self.now,
            http=self.http,
            monotonic=self._monotonic,
            sleep=self._sleep,
        )

    def _monotonic(self) -> float:
        return self.now / 1000

    def _sleep(self, seconds: float) -> None:
        self.now += max(1, round(1000 * seconds))
        if self._monotonic() > self._ends_at:
            raise TimedOut

    def _secret(self, name: str) -> str:
        if name not in self.kind.secrets:
            raise ValueError(f"the kind does not declare the secret {name}")
        value = self.secrets.get(name) or os.environ.get(name.upper())
        if not value:
            raise Transient("no_secret", f"the secret {name} could not be read")
        return value

    def _outcome(self, outcome: Outcome) -> Any:
        if isinstance(outcome, ResultMessage):
            return msgspec.json.decode(outcome.output, type=self.kind.output)
        return outcome if isinstance(outcome, (WorkError, RateLimited)) else None


class _CountingLedger(Ledger):
    """Counts the units that were spent."""

    spent: Counter[str]

    def take_unit(self, budget: str, now: int, share: Share) -> int | None:
        remaining = super().take_unit(budget, now, share)
        self.spent.update({budget: 1} if remaining is not None else {})
        return remaining

    def open_window(self, budget: str, window: Window, now: int, shares: dict[str, int]) -> int | None:
        remaining = super().open_window(budget, window, now, shares)
        self.spent.update({budget: 1} if remaining is not None and shares else {})
        return remaining


class _RecordedProgress(JobProgress):
    """Records every value instead of writing to the table."""

    def __init__(self, harness: Harness, cancelled_at: int | None) -> None:
        self._harness = harness
        self._cancelled_at = cancelled_at
        self.values: list[tuple[float | None, str | None]] = []
        self.was_cancelled = False

    def set(self, fraction: float | None, message: str | None) -> None:
        progress = storable_progress(fraction, message)
        self.values.append((progress["fraction"], progress["message"]))
        self.check()

    def check(self) -> None:
        if self._cancelled_at is not None and self._harness.now >= self._cancelled_at:
            self.was_cancelled = True
            raise Cancelled

    def flush(self, *, now: bool = False) -> None:
        pass

    def close(self) -> None:
        pass


class _MemoryFiles(Files):
    def __init__(self, kind: str) -> None:
        self._kind = kind
        self.stored: dict[str, tuple[bytes, str]] = {}

    def put(self, name: str, data: bytes | IO[bytes], content_type: str) -> str:
        check_file_name(name)
        content = data if isinstance(data, bytes) else data.read()
        self.stored[name] = (content, content_type)
        return f"https://files.test/images/{self._kind}/{name}"
