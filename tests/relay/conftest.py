"""A relay in the test's own process, on a real loopback socket, with a history made of plain values."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from functions.common.clock import Clock, now_ms
from functions.common.job import Job
from functions.sse_relay.change import Change, change_of
from functions.sse_relay.hub import Hub, Past
from functions.sse_relay.server import Limits, Relay
from functions.sse_relay.signals import Signals

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

    hub: Hub
    jobs: dict[str, Change] = field(default_factory=dict)
    changed: list[Change] | None = field(default_factory=list)
    reading: Callable[[], None] = lambda: None
    cursors: list[int] = field(default_factory=list)
    error: Exception | None = None

    async def current(self, job_ids: Iterable[str]) -> Past:
        position = self.hub.position
        found = [self.jobs[one] for one in job_ids if one in self.jobs]
        self.hub.shown(found)
        self.reading()
        if self.error:
            raise self.error
        return Past(found, position)

    async def since(self, cursor: int) -> Past | None:
        position = self.hub.position
        self.cursors.append(cursor)
        self.reading()
        return None if self.changed is None else Past(self.changed, position)


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
            self.relay.publish([one])

    async def streams(self, count: int) -> None:
        """Wait until so many streams are open and have begun."""
        await until(lambda: len(self.relay.streams) == count and not self.relay.beginning)


@asynccontextmanager
async def running(
    *, uniform: Callable[[float, float], float] = random.uniform, clock: Clock = now_ms, **limits: Any
) -> AsyncIterator[RunningRelay]:
    """A relay with these limits; its wheel turns every hundredth of a second."""
    hub = Hub(asyncio.get_running_loop().time)
    history = FakeHistory(hub)
    relay = Relay(hub, history, Signals(), Limits(tick=0.01, **limits), uniform, clock)
    port = relay.listen("127.0.0.1", 0)
    beating = asyncio.create_task(relay.beat())
    try:
        yield RunningRelay(relay, history, port)
    finally:
        beating.cancel()
        relay.close()


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def run(test: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine, bounded."""

    async def bounded() -> T:
        async with asyncio.timeout(120):
            return await test

    return asyncio.run(bounded())
