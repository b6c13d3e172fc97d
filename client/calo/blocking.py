"""The client without `async`: it runs the other one in its own event loop."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from calo.change import Change
from calo.client import AsyncCalo, AsyncJob

if TYPE_CHECKING:
    from calo.client import Calo

T = TypeVar("T")


class BlockingCalo:
    """The calls of AsyncCalo, which return when they are done. Use it in one thread."""

    def __init__(self, calo: "Calo") -> None:
        self._loop = asyncio.new_event_loop()
        self._client: AsyncCalo = self._wait(_connect(calo))

    def close(self) -> None:
        self._wait(self._client.close())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def run(self, kind: str, /, **input: Any) -> "BlockingJob":
        """Create a job of a kind with this input. Iterate over it to follow it."""
        return self.submit(kind, input)

    def submit(self, kind: str, input: Mapping[str, Any], **options: Any) -> "BlockingJob":
        """Create a job, with the options of AsyncCalo.submit."""
        return BlockingJob(self, self._wait(self._client.submit(kind, input, **options)))

    def job(self, job_id: str) -> "BlockingJob":
        """Return an existing job. Raises JobNotFound."""
        return BlockingJob(self, self._wait(self._client.job(job_id)))

    def cancel(self, job_id: str) -> Change:
        return self._wait(self._client.cancel(job_id))

    def retry(self, job_id: str) -> Change:
        return self._wait(self._client.retry(job_id))

    def jobs(self, **filters: str) -> Iterator[Change]:
        """Yield jobs, newest first, with the filters of AsyncCalo.jobs."""
        return self._iterate(self._client.jobs(**filters))

    def kinds(self) -> list[dict[str, Any]]:
        return self._wait(self._client.kinds())

    def changes(self, *, owner: str | None = None) -> Iterator[Change]:
        """Yield each change of each job that the caller may see, from now on, forever."""
        return self._iterate(self._client.changes(owner=owner))

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Make any other call of the API, with the options of Connection.call, and return its JSON."""
        return self._wait(self._client.connection.call(method, path, **options))

    def _wait(self, call: "Coroutine[Any, Any, T]") -> T:
        return self._loop.run_until_complete(call)

    def _iterate(self, changes: AsyncIterator[Change]) -> Iterator[Change]:
        try:
            while (change := self._wait(_next(changes))) is not None:
                yield change
        finally:
            self._wait(_close(changes))


class BlockingJob:
    """A job. `latest` is its newest state that is known here."""

    def __init__(self, calo: BlockingCalo, job: AsyncJob) -> None:
        self._calo = calo
        self._job = job

    @property
    def id(self) -> str:
        return self._job.id

    @property
    def latest(self) -> Change:
        return self._job.latest

    def changes(self, timeout: float | None = None) -> Iterator[Change]:
        """Yield its state and each newer one, until it has ended. Raises TimeoutError."""
        return self._calo._iterate(self._job.changes(timeout))

    def __iter__(self) -> Iterator[Change]:
        return self.changes()

    def wait(self, timeout: float | None = None) -> Change:
        """Return its state once it has ended. Raises TimeoutError."""
        return self._calo._wait(self._job.wait(timeout))

    def cancel(self) -> Change:
        return self._calo._wait(self._job.cancel())

    def retry(self) -> Change:
        return self._calo._wait(self._job.retry())


async def _connect(calo: "Calo") -> AsyncCalo:
    return calo.connect()


async def _next(changes: AsyncIterator[Change]) -> Change | None:
    """Return the next change, or None at the end."""
    async for change in changes:
        return change
    return None


async def _close(changes: Any) -> None:
    await changes.aclose()
