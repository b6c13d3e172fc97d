"""A relay in the test's own process, on a real loopback socket, with a history made of plain values."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web

from functions.common.job import Job
from functions.sse_relay.change import Change, change_of
from functions.sse_relay.hub import Hub
from functions.sse_relay.server import Relay

T = TypeVar("T")
NOW = 1_800_000_000_000


def job_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def change(number: int = 1, version: int = 1, *, updated_at: int = NOW, **fields: Any) -> Change:
    """A job's change, as the relay gets it."""
    return change_of(job(number, version, updated_at=updated_at, **fields))


def job(number: int = 1, version: int = 1, *, updated_at: int = NOW, **fields: Any) -> Job:
    values = {"query": "pasta", "created_at": NOW, "expires_at": NOW // 1000, **fields}
    return Job(id=job_id(number), version=version, updated_at=updated_at, **values)


@dataclass
class FakeHistory:
    """Answers from what a test puts in; `reading` lets a test act while a read is under way."""

    jobs: dict[str, Change] = field(default_factory=dict)
    changed: list[Change] | None = field(default_factory=list)
    reading: Callable[[], None] = lambda: None
    cursors: list[int] = field(default_factory=list)

    async def current(self, job_ids: Iterable[str]) -> list[Change]:
        found = [self.jobs[one] for one in job_ids if one in self.jobs]
        self.reading()
        return found

    async def since(self, cursor: int) -> list[Change] | None:
        self.cursors.append(cursor)
        found = self.changed
        self.reading()
        return found


@dataclass
class RunningRelay:
    relay: Relay
    history: FakeHistory
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def publish(self, *changes: Change) -> None:
        for one in changes:
            self.relay.hub.publish(one)

    async def streams(self, count: int) -> None:
        """Wait until so many streams are open."""
        await until(lambda: len(self.relay.hub) == count)


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[RunningRelay]:
    history = FakeHistory()
    relay = Relay(Hub(asyncio.get_running_loop().time), history, **options)
    runner = web.AppRunner(relay.app(), handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield RunningRelay(relay, history, runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def run(test: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine, bounded."""

    async def bounded() -> T:
        async with asyncio.timeout(20):
            return await test

    return asyncio.run(bounded())
