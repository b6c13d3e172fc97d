"""The client: create jobs, read and change them, and follow them live."""

import os
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from calo.change import Change
from calo.connection import Connection, find_url
from calo.follow import follow_all, follow_job

if TYPE_CHECKING:
    from calo.blocking import BlockingCalo


class Calo:
    """A deployment of Calo. Enter it with `async with`, or with `with` for a client that blocks.

    `url` is the API's, with or without `/api`; by default that in CALO_URL, or of the local run. `token` is
    the caller's, if the deployment has sign-in; by default that in CALO_TOKEN. `timeout`: how many seconds
    to wait for a job to end.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        timeout: float | None = None,
        transport: Any = None,
    ) -> None:
        """Raises CaloError if `url` is not a URL. `transport` replaces httpx's, for tests."""
        self.url = find_url(url)
        self.timeout = timeout
        self._token = token or os.environ.get("CALO_TOKEN")
        self._transport = transport
        self._entered: list[Any] = []

    def connect(self) -> "AsyncCalo":
        """Return a client for the running event loop. It must be closed."""
        key = os.environ.get("CALO_API_KEY")
        connection = Connection(self.url, self._token, key=key, transport=self._transport)
        return AsyncCalo(connection, self.timeout)

    async def __aenter__(self) -> "AsyncCalo":
        client = self.connect()
        self._entered.append(client)
        return client

    async def __aexit__(self, *_: object) -> None:
        await self._entered.pop().close()

    def __enter__(self) -> "BlockingCalo":
        from calo.blocking import BlockingCalo

        client = BlockingCalo(self)
        self._entered.append(client)
        return client

    def __exit__(self, *_: object) -> None:
        self._entered.pop().close()


class AsyncCalo:
    """Calls of the API. Each raises InvalidRequest if the API refuses it, and Unreachable if it fails.

    Calls are repeated when that can help. `run` and `submit` then use the same idempotency key, so a job is
    never created twice.
    """

    def __init__(self, connection: Connection, timeout: float | None) -> None:
        self.connection = connection
        self.timeout = timeout

    async def close(self) -> None:
        await self.connection.close()

    async def run(self, kind: str, /, **input: Any) -> "AsyncJob":
        """Create a job of a kind with this input. Iterate over it to follow it."""
        return await self.submit(kind, input)

    async def submit(
        self,
        kind: str,
        input: Mapping[str, Any],
        *,
        delay_seconds: int = 0,
        notify: str | None = None,
        key: str | None = None,
    ) -> "AsyncJob":
        """Create a job. Its work starts after the delay; `notify` is a URL to call when it ends.

        With the same `key`, the same job is returned.
        """
        body: dict[str, Any] = {"kind": kind, "input": dict(input)}
        body |= {"delay_seconds": delay_seconds} if delay_seconds else {}
        body |= {"notify": notify} if notify else {}
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self._job(await self.connection.call("POST", "/jobs", body=body, headers=headers))

    async def job(self, job_id: str) -> "AsyncJob":
        """Return an existing job. Raises JobNotFound."""
        return self._job(await self.connection.call("GET", f"/jobs/{job_id}"))

    async def cancel(self, job_id: str) -> Change:
        """Cancel a pending job. Raises InvalidRequest with status 409 if it has ended."""
        return Change.read(await self.connection.call("DELETE", f"/jobs/{job_id}"))

    async def retry(self, job_id: str) -> Change:
        """Make a job in `error` or `cancelled` pending again. Raises InvalidRequest with status 409."""
        return Change.read(await self.connection.call("POST", f"/jobs/{job_id}/retry"))

    async def jobs(self, **filters: str) -> AsyncIterator[Change]:
        """Yield jobs, newest first: all, or those with this `status`, `kind`, `code` or `text`, `since` a
        time.
        """
        query = {**filters, "pageSize": "100"}
        while True:
            page = await self.connection.call("GET", "/jobs", query=query)
            for job in page["data"]:
                yield Change.read(job)
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    async def kinds(self) -> list[dict[str, Any]]:
        """Return the kinds: name, title, description, and the JSON Schemas of input and output."""
        return list((await self.connection.call("GET", "/kinds"))["data"])

    def changes(self, *, owner: str | None = None) -> AsyncIterator[Change]:
        """Yield each change of each job that the caller may see, from now on, forever."""
        return follow_all(self.connection, owner)

    def _job(self, data: Any) -> "AsyncJob":
        return AsyncJob(self, Change.read(data))


class AsyncJob:
    """A job. `latest` is its newest state that is known here."""

    def __init__(self, calo: AsyncCalo, latest: Change) -> None:
        self._calo = calo
        self.latest = latest

    @property
    def id(self) -> str:
        return self.latest.id

    async def changes(self, timeout: float | None = None) -> AsyncIterator[Change]:
        """Yield its state and each newer one, until it has ended.

        It resumes through disconnects, and never yields an older version after a newer one. Raises
        TimeoutError after `timeout` seconds (by default, those of Calo).
        """
        limit = self._calo.timeout if timeout is None else timeout
        async for change in follow_job(self._calo.connection, self.latest, limit):
            self.latest = change
            yield change

    def __aiter__(self) -> AsyncIterator[Change]:
        return self.changes()

    async def wait(self, timeout: float | None = None) -> Change:
        """Return its state once it has ended. Raises TimeoutError."""
        async for _ in self.changes(timeout):
            pass
        return self.latest

    async def cancel(self) -> Change:
        self.latest = await self._calo.cancel(self.id)
        return self.latest

    async def retry(self) -> Change:
        self.latest = await self._calo.retry(self.id)
        return self.latest
