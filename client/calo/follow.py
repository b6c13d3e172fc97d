"""Follow jobs live: every newer version once, through disconnects, proxies that hold back, and restarts.

The relay sends the current state of each named job whenever a stream is opened, so reconnecting misses
nothing. Some proxies hold a stream back until it ends; therefore the job is also read from the API after a
silence.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
from httpx_sse import EventSource, SSEError

from calo.change import Change
from calo.connection import Connection, backoff, problem_of
from calo.errors import CaloError, Unreachable

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 40.0
"""The relay sends a comment after 15 s of silence. After this time the connection counts as lost."""
FIRST_POLL, LAST_POLL = 3.0, 30.0
"""Seconds of silence after which the job is read from the API. The pause doubles."""
PAGE = 100
MAX_VERSIONS = 100_000


async def follow_job(connection: Connection, latest: Change, timeout: float | None) -> AsyncIterator[Change]:
    """Yield this state of a job, then each newer one, until the job has ended.

    Raises TimeoutError after `timeout` seconds, and CaloError if the job cannot be read.
    """
    yield latest
    if latest.has_ended:
        return
    loop = asyncio.get_running_loop()
    deadline = None if timeout is None else loop.time() + timeout
    poll = FIRST_POLL
    reader = _Reader(connection, {"job": latest.id})
    try:
        while not latest.has_ended:
            remaining = poll if deadline is None else min(poll, deadline - loop.time())
            change = await reader.next(max(0.0, remaining))
            if change is None:
                if deadline is not None and loop.time() >= deadline:
                    raise TimeoutError(f"the job {latest.id} has not ended after {timeout:g} s")
                poll = min(LAST_POLL, 2 * poll)
                change = await _read_job(connection, latest.id, deadline)
            if change is not None and change.version > latest.version:
                latest = change
                yield latest
    finally:
        await reader.close()


async def _read_job(connection: Connection, job_id: str, deadline: float | None) -> Change | None:
    """Return a job as it is now, or None if the API cannot be reached before the deadline."""
    seconds = None if deadline is None else deadline - asyncio.get_running_loop().time()
    with suppress(Unreachable, asyncio.TimeoutError):  # the built-in one since Python 3.11
        return Change.read(await asyncio.wait_for(connection.call("GET", f"/jobs/{job_id}"), seconds))
    return None


async def follow_all(connection: Connection, owner: str | None = None) -> AsyncIterator[Change]:
    """Yield every change of every job that the caller may see, from now on. Raises CaloError."""
    query = {"owner": owner} if owner else {}
    versions: dict[str, int] = {}
    page = await connection.call("GET", "/jobs", query={**query, "pageSize": "1"})
    reader = _Reader(connection, query, cursor=str(page["live_cursor"]))
    try:
        while True:
            change = await reader.next(None)
            changes = [change] if change else await _newest(connection, query)
            for newer in changes:
                if newer.version > versions.get(newer.id, 0):
                    versions.pop(newer.id, None)
                    versions[newer.id] = newer.version
                    yield newer
            while len(versions) > MAX_VERSIONS:
                versions.pop(next(iter(versions)))
    finally:
        await reader.close()


async def _newest(connection: Connection, query: dict[str, str]) -> list[Change]:
    """Return the newest jobs, oldest first: the relay could not say what has changed."""
    page = await connection.call("GET", "/jobs", query={**query, "pageSize": str(PAGE)})
    return [Change.read(job) for job in reversed(page["data"])]


class _Reader:
    """Reads a stream in the background, and opens it again when it ends."""

    def __init__(self, connection: Connection, query: dict[str, str], cursor: str = "") -> None:
        self._connection = connection
        self._query = query
        self._cursor = cursor
        self._retry_seconds: float | None = None
        self._changes: asyncio.Queue[Change | CaloError | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._read())

    async def next(self, seconds: float | None) -> Change | None:
        """Return the next change, or None after this time or if the list must be fetched.

        Raises CaloError.
        """
        try:
            change = await asyncio.wait_for(self._changes.get(), seconds)
        except asyncio.TimeoutError:  # the built-in one since Python 3.11
            return None
        if isinstance(change, CaloError):
            raise change
        return change

    async def close(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _read(self) -> None:
        attempt = 0
        while True:
            pause = backoff(attempt)
            try:
                await self._read_once()
                attempt, pause = 0, self._retry_seconds or pause
            except CaloError as error:
                self._changes.put_nowait(error)
                return
            except (httpx.HTTPError, SSEError):
                attempt += 1
            await asyncio.sleep(pause)

    async def _read_once(self) -> None:
        """Read until the stream ends. Raises CaloError if it will never open, or httpx's errors."""
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        headers |= {"Last-Event-ID": self._cursor} if self._cursor else {}
        timeout = httpx.Timeout(CONNECT_SECONDS, read=SILENCE_SECONDS)
        url, http = f"{self._connection.url}/live", self._connection.http
        async with http.stream("GET", url, params=self._query, headers=headers, timeout=timeout) as response:
            if 400 <= response.status_code < 500 and response.status_code != 429:
                await response.aread()
                raise problem_of(response)
            response.raise_for_status()
            async for event in EventSource(response).aiter_sse():
                self._cursor = event.id or self._cursor
                self._retry_seconds = event.retry / 1000 if event.retry else self._retry_seconds
                self._changes.put_nowait(None if event.event == "resync" else _change(event.data))


def _change(data: str) -> Change | None:
    """Return the change of an event, or None, which makes the caller read the state, if it is damaged."""
    with suppress(ValueError):
        value: Any = json.loads(data)
        return Change.read(value)
    return None
