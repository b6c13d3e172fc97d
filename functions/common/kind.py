"""What a kind of job is: its declaration, and what its work may use.

A module in `kinds/` declares a kind as `KIND`. docs/kinds.md explains how to write one. Declarations are read
where the packages that the work needs are not installed, so this module imports little.
"""

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from inspect import cleandoc
from typing import IO, TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import msgspec

from functions.common.declaration import (
    check_struct,
    check_work,
    require,
    require_different,
    require_range,
)
from functions.common.errors import Cancelled, Permanent, RateLimited, Transient
from functions.common.names import NAME, is_name

if TYPE_CHECKING:
    from functions.common.http.download import HttpResponse
    from functions.common.table import Items

__all__ = [
    "BatchJob", "Budget", "BudgetAccess", "Cancelled", "Context", "Files", "Http", "Kind",
    "Permanent", "RateLimited", "Transient",
]  # fmt: skip

MAX_TIMEOUT = 880
"""Seconds. Lambda ends a function after 900, and a worker must report before that."""
MAX_BATCH = 100

InputT = TypeVar("InputT")


@dataclass(frozen=True)
class Budget:
    """Units that all workers together may spend: `limit` per window of `seconds`.

    Kinds share a budget by declaring it with the same name and values.
    """

    name: str
    limit: int
    seconds: int

    def __post_init__(self) -> None:
        require(is_name(self.name), "the budget's name", f"must match {NAME.pattern}")
        require_range(f"the limit of budget {self.name}", self.limit, 1, 10**9)
        require_range(f"the seconds of budget {self.name}", self.seconds, 1, 31 * 24 * 3600)


@dataclass(frozen=True)
class Kind:
    """The declaration of a kind.

    name: matches `[a-z][a-z0-9_]{0,31}`.
    title: what people call it.
    input, output: subclasses of msgspec.Struct. Unknown fields of the input are always refused.
    work: `work(input, context)` returns an output. With `batch` above 1 it is `work(jobs, context)`, where
        `jobs` is a list of up to `batch` BatchJobs, and yields `(job, output or error)` for each of them.
    attempts: how often the work is tried when it raises Transient, or fails unexpectedly.
    retry_seconds: the average delay before the second attempt. It doubles with each further one.
    timeout: seconds that the work may take, for a whole batch. Then it is interrupted.
    memory: megabytes of the worker.
    concurrency: how many batches are processed at once.
    budgets: what the work may spend with `context.spend`.
    secrets: names of what it may read with `context.secret`.
    stores_files: whether it may use `context.files`.
    label: the input field by which people recognize a job.

    Raises ValueError if a value is not valid.
    """

    name: str
    title: str
    input: type[msgspec.Struct]
    output: type[msgspec.Struct]
    work: Callable[..., Any]
    _: KW_ONLY
    batch: int = 1
    attempts: int = 3
    retry_seconds: int = 10
    timeout: int = 60
    memory: int = 512
    concurrency: int = 10
    budgets: tuple[Budget, ...] = ()
    secrets: tuple[str, ...] = ()
    stores_files: bool = False
    label: str | None = None

    def __post_init__(self) -> None:
        require(is_name(self.name), "name", f"must match {NAME.pattern}")
        require(isinstance(self.title, str) and bool(self.title.strip()), "title", "must be a text")
        check_work(self.work, is_batch=self.batch != 1)
        check_struct("input", self.input)
        check_struct("output", self.output)
        require_range("batch", self.batch, 1, MAX_BATCH)
        require_range("attempts", self.attempts, 1, 20)
        require_range("retry_seconds", self.retry_seconds, 1, 900)
        require_range("timeout", self.timeout, 1, MAX_TIMEOUT)
        require_range("memory", self.memory, 128, 10_240)
        require_range("concurrency", self.concurrency, 2, 1000)
        budgets = isinstance(self.budgets, tuple) and all(
            isinstance(budget, Budget) for budget in self.budgets
        )
        require(budgets, "budgets", "must be a tuple of Budgets")
        require_different("budgets", [budget.name for budget in self.budgets])
        secrets = isinstance(self.secrets, tuple) and all(map(is_name, self.secrets))
        require(secrets, "secrets", f"must be a tuple of names that match {NAME.pattern}")
        require_different("secrets", self.secrets)
        fields = {field.encode_name for field in msgspec.structs.fields(self.input)}
        require(self.label is None or self.label in fields, "label", "must be a field of the input")

    @property
    def description(self) -> str:
        """The docstring of the module that declares the work."""
        return cleandoc(sys.modules[self.work.__module__].__doc__ or "")


class Files(Protocol):
    """The files of a kind. They are public."""

    def put(self, name: str, data: bytes | IO[bytes], content_type: str) -> str:
        """Store a file and return its URL. Raises Transient.

        A name must always have the same content, because browsers and the CDN cache it forever.
        """


class Http(Protocol):
    """GET requests to servers that are not trusted.

    The whole exchange has a deadline, redirects are followed at most three times, cookies are ignored.
    Without `hosts`, only https URLs of public addresses are fetched. With `hosts` (a set of `host` or
    `host:port`), only those; an entry with a port may use http and a private address.

    Both raise requests.RequestException, ResponseTooLarge and NotAllowed (functions/common/http).
    """

    def get(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        *,
        max_bytes: int = 1_000_000,
        seconds: float = 10,
        hosts: frozenset[str] | None = None,
    ) -> "HttpResponse":
        """Return the response with its body."""

    def save(
        self,
        url: str,
        file: IO[bytes],
        *,
        max_bytes: int,
        seconds: float = 10,
        hosts: frozenset[str] | None = None,
    ) -> "HttpResponse":
        """Write the body to a file instead of returning it."""


class BudgetAccess(Protocol):
    """A budget of a third party that says itself how much remains."""

    def correct(self, reported: int | None) -> None:
        """Lower what remains to what the third party has reported, if that is less."""

    def exhaust(self) -> int:
        """Record that nothing remains. Return when to try again (epoch ms)."""


class Context(Protocol):
    """What a kind's work may use."""

    @property
    def id(self) -> str:
        """The job's ID. In the context of a whole batch, that of its first job."""

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""

    @property
    def deadline(self) -> float:
        """Seconds until the work is interrupted."""

    @property
    def logger(self) -> "logging.Logger | logging.LoggerAdapter[Any]":
        """A logger whose lines name the job."""

    @property
    def http(self) -> Http:
        """Fetches URLs safely."""

    @property
    def files(self) -> Files | None:
        """Stores files, or None if the kind or the deployment does not store any."""

    @property
    def items(self) -> "Items":
        """Small items of this kind that outlive a job, in the ledger table."""

    def now(self) -> int:
        """Return the time (epoch ms)."""

    def progress(self, fraction: float | None, message: str | None = None) -> None:
        """Publish how far the work is: a fraction from 0 to 1, or None if it is not known.

        It is written at most once a second; the latest value always is. Raises Cancelled if the job was
        cancelled.
        """

    def sleep(self, seconds: float) -> None:
        """Wait. Raises Cancelled within a second if the job is cancelled."""

    def spend(self, budget: Budget | str, jobs: "Sequence[BatchJob[Any]]" = ()) -> int:
        """Take one unit of a budget that the kind declares. Return how many remain.

        It is charged to the job's caller, in a batch to the first caller of `jobs` with a remaining share.
        Raises RateLimited if there is none.
        """

    def budget(self, budget: Budget | str) -> BudgetAccess:
        """Return a budget, to correct it by what a third party reports."""

    def secret(self, name: str) -> str:
        """Return a secret that the kind declares. Raises Transient if it cannot be read."""


@dataclass(frozen=True)
class BatchJob(Generic[InputT]):
    """A job of a batch, with its own context."""

    id: str
    input: InputT
    context: Context
