"""What a kind's work may use, in a worker."""

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.budget import Limits, SharedBudget, ShareUsedUp
from functions.common.clock import Clock
from functions.common.errors import RateLimited, Transient
from functions.common.http.download import Download, HttpResponse
from functions.common.job import Job
from functions.common.kind import BatchJob, Budget, BudgetAccess, Files, Http
from functions.common.ledger import Ledger
from functions.common.messages import job_message, log_fields
from functions.common.observability import count_by, logger
from functions.common.table import Items
from functions.job_worker.progress import JobProgress

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

IMMUTABLE = "public, max-age=31536000, immutable"
FILE_NAME = re.compile(r"[\w-]+(\.[\w-]+)*(/[\w-]+(\.[\w-]+)*)*", re.ASCII)
MAX_FILE_NAME = 200
SLEEP_SECONDS = 0.5
"""Between two looks at whether a job that sleeps was cancelled."""


class UntrustedHttp(Http):
    """`context.http`."""

    def get(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        *,
        max_bytes: int = 1_000_000,
        seconds: float = 10,
        hosts: frozenset[str] | None = None,
    ) -> HttpResponse:
        return _download(hosts, seconds).get(url, headers or {}, max_bytes)

    def save(
        self,
        url: str,
        file: IO[bytes],
        *,
        max_bytes: int,
        seconds: float = 10,
        hosts: frozenset[str] | None = None,
    ) -> HttpResponse:
        return _download(hosts, seconds).save(url, {}, max_bytes, file)


@lru_cache(maxsize=32)
def _download(hosts: frozenset[str] | None, seconds: float) -> Download:
    """Return a download that keeps its connections between calls."""
    return Download(hosts, seconds=seconds)


def check_file_name(name: str) -> None:
    """Raise ValueError unless a name consists of letters, digits and `-_.`, in folders or not."""
    if len(name) > MAX_FILE_NAME or not FILE_NAME.fullmatch(name):
        raise ValueError(f"the name of a file must be like a/b-c.txt, not {name[:MAX_FILE_NAME]!r}")


@dataclass(frozen=True)
class StoredFiles(Files):
    """`context.files`: objects under the kind's prefix, which the CDN serves at `base_url`."""

    s3: "S3Client"
    bucket: str
    base_url: str
    prefix: str

    def put(self, name: str, data: bytes | IO[bytes], content_type: str) -> str:
        check_file_name(name)
        key = f"{self.prefix}{name}"
        with _storage_errors("a file could not be stored"):
            self.s3.put_object(
                Bucket=self.bucket, Key=key, Body=data, ContentType=content_type, CacheControl=IMMUTABLE
            )
        return f"{self.base_url.rstrip('/')}/{key}"


@dataclass(frozen=True)
class _MeasuredBudget(BudgetAccess):
    """A budget whose remaining units are measured, including 0 if none could be taken."""

    shared: SharedBudget

    def spend(self, callers: Sequence[str]) -> int:
        with _storage_errors("the store of budgets is unavailable"):
            try:
                remaining = self.shared.spend(callers)
            except ShareUsedUp:
                raise
            except RateLimited:
                self._measure(0)
                raise
        self._measure(remaining)
        return remaining

    def correct(self, reported: int | None) -> None:
        if reported is not None:
            self._measure(reported)
            with _storage_errors("the store of budgets is unavailable"):
                self.shared.correct(reported)

    def exhaust(self) -> int:
        self._measure(0)
        with _storage_errors("the store of budgets is unavailable"):
            return self.shared.exhaust()

    def _measure(self, remaining: int) -> None:
        count_by("BudgetRemaining", remaining, budget=self.shared.name)


@contextmanager
def _storage_errors(message: str) -> Iterator[None]:
    """Turn botocore's errors into Transient."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Transient("storage", message) from error


@dataclass(frozen=True)
class Tools:
    """What all jobs of a worker share. `read_secret` returns a declared secret by name."""

    kind: str
    ledger: Ledger
    budgets: Mapping[str, Limits]
    files: Files | None
    read_secret: Callable[[str], str]
    clock: Clock
    http: Http = field(default_factory=UntrustedHttp)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def budget(self, budget: Budget | str) -> _MeasuredBudget:
        """Return a declared budget. Raises ValueError for another one."""
        name = budget.name if isinstance(budget, Budget) else budget
        if name not in self.budgets:
            raise ValueError(f"the kind does not declare the budget {name}")
        return _MeasuredBudget(SharedBudget(name, self.budgets[name], self.ledger, self.clock))


class _JobLogger(logging.LoggerAdapter[Any]):
    """Adds the job to every line."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, {**kwargs, "extra": {**(self.extra or {}), **(kwargs.get("extra") or {})}}


class JobContext:
    """The context of one job. It also serves as that of a batch: then it is that of the first job."""

    def __init__(self, tools: Tools, job: Job, progress: JobProgress, ends_at: float) -> None:
        self._tools = tools
        self.job = job
        self.state = progress
        self._ends_at = ends_at

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def attempt(self) -> int:
        return self.job.attempts + 1

    @property
    def deadline(self) -> float:
        return max(0.0, self._ends_at - self._tools.monotonic())

    @cached_property
    def logger(self) -> "logging.LoggerAdapter[Any]":
        return _JobLogger(logger, log_fields(job_message(self.job), attempt=self.attempt))

    @property
    def http(self) -> Http:
        return self._tools.http

    @property
    def files(self) -> Files | None:
        return self._tools.files

    @property
    def items(self) -> Items:
        return self._tools.ledger.items(self._tools.kind)

    def now(self) -> int:
        return self._tools.clock()

    def progress(self, fraction: float | None, message: str | None = None) -> None:
        self.state.set(fraction, message)

    def sleep(self, seconds: float) -> None:
        until = self._tools.monotonic() + seconds
        self.state.check()
        while (remaining := until - self._tools.monotonic()) > 0:
            self._tools.sleep(min(remaining, SLEEP_SECONDS))
            self.state.check()

    def spend(self, budget: Budget | str, jobs: Sequence[BatchJob[Any]] = ()) -> int:
        contexts = [job.context for job in jobs] or [self]
        callers = [context.job.caller for context in contexts if isinstance(context, JobContext)]
        return self._tools.budget(budget).spend(callers)

    def budget(self, budget: Budget | str) -> BudgetAccess:
        return self._tools.budget(budget)

    def secret(self, name: str) -> str:
        return self._tools.read_secret(name)
