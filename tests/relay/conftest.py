"""A relay in the test's own process, on a loopback socket, with a history made of plain values."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from functions.common.clock import Clock, now_ms
from functions.common.job import Job
from functions.sse_relay.admission import Admission, Limits
from functions.sse_relay.hub import Backlog, Hub
from functions.sse_relay.job_change import JobChange
from functions.sse_relay.metrics import RelayMetrics
from functions.sse_relay.relay import Relay, Times
from functions.sse_relay.sign_in import SignIn

T = TypeVar("T")
NOW = 1_800_000_000_000


def job_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def change(number: int = 1, version: int = 1, *, updated_at: int = NOW, **fields: Any) -> JobChange:
    """Return a job's change, as the relay receives it."""
    return JobChange.from_job(job(number, version, updated_at=updated_at, **fields))


def job(number: int = 1, version: int = 1, *, updated_at: int = NOW, **fields: Any) -> Job:
    values: dict[str, Any] = {"input": {"text": fields.pop("text", "pasta")}, "created_at": NOW, **fields}
    return Job(id=job_id(number), kind="note", version=version, updated_at=updated_at, **values)


@dataclass
class FakeHistory:
    """Returns what a test puts in; `on_read` lets a test act during a read."""

    hub: Hub
    jobs: dict[str, JobChange] = field(default_factory=dict)
    changed: list[JobChange] | None = field(default_factory=list)
    on_read: Callable[[], object] = lambda: None
    starts: list[int] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    error: Exception | None = None

    async def current(self, job_ids: Iterable[str]) -> Backlog:
        position = self.hub.position
        changes = [self.jobs[job_id] for job_id in job_ids if job_id in self.jobs]
        self.hub.record_read(changes)
        self.on_read()
        if self.error:
            raise self.error
        return Backlog(changes, position)

    async def since(self, owner: str, start: int) -> Backlog | None:
        position = self.hub.position
        self.owners.append(owner)
        self.starts.append(start)
        self.on_read()
        return None if self.changed is None else Backlog(self.changed, position)


@dataclass
class RunningRelay:
    relay: Relay
    history: FakeHistory
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def publish(self, *changes: JobChange) -> list[JobChange]:
        """Publish the changes one by one. Return them as events."""
        return [event for change in changes for event in self.relay.publish([change])]

    async def streams(self, count: int) -> None:
        """Wait until `count` streams are open and have started."""
        await until(lambda: len(self.relay.streams) == count and not self.relay.starting)


@asynccontextmanager
async def running(
    *,
    limits: Limits = Limits(),  # noqa: B008  # immutable
    uniform: Callable[[float, float], float] = random.uniform,
    clock: Clock = now_ms,
    sign_in: SignIn | None = None,
    host: str = "127.0.0.1",
    **times: float,
) -> AsyncIterator[RunningRelay]:
    """Run a relay whose timers have a resolution of 10 ms."""
    hub = Hub(asyncio.get_running_loop().time, "relay")
    history = FakeHistory(hub)
    relay = Relay(
        hub,
        history,
        RelayMetrics(),
        Admission(limits, uniform),
        times=Times(tick=0.01, **times),
        uniform=uniform,
        clock=clock,
        sign_in=sign_in,
    )
    port = relay.listen(host, 0)
    timers = asyncio.create_task(relay.run_timers())
    try:
        yield RunningRelay(relay, history, port)
    finally:
        timers.cancel()
        relay.close()


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for the condition. Raises TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def run(test: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine with a time limit."""

    async def bounded() -> T:
        async with asyncio.timeout(120):
            return await test

    return asyncio.run(bounded())
