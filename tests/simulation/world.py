"""The simulated world: one clock, one source of randomness, one thread.

Every function call of the product is a process. It runs in a greenlet until its next AWS call; then the world
decides what happens next. So processes interleave at their AWS calls, in an order that the seed determines.
All AWS calls are numbered. A plan maps numbers to faults: the process dies before the call takes effect, or
after it and before its answer arrives; or the service refuses the call.
"""

import heapq
import random
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal, get_args

from botocore.exceptions import BotoCoreError, ClientError
from greenlet import GreenletExit, getcurrent, greenlet

from functions.common.errors import WriteConflict
from functions.job_worker.time_limit import TimedOut

START = 1_800_000_000_000
"""Epoch milliseconds at which a simulation starts."""

Fault = Literal["dies before", "dies after", "throttled", "partly refused"]
FAULTS: tuple[Fault, ...] = get_args(Fault)


class Crash(BaseException):
    """The process has died. Not an Exception, so that the product cannot catch it."""


class Stuck(Exception):
    """The world did not become quiet in time."""


EXPECTED = (Crash, ClientError, BotoCoreError, WriteConflict)
"""What may end a process: the platform runs it again."""


@dataclass
class Process:
    """One run of a function. `offset` is how far its clock is ahead of the world's, in milliseconds."""

    name: str
    world: "World"
    offset: int = 0
    is_newer: bool = False
    """Whether it runs a newer version of its function, which writes fields that others do not know."""
    is_dead: bool = False
    greenlet: greenlet = field(init=False)
    limit: int | None = None
    """When the time limit of its work interrupts it (the world's time)."""

    def clock(self) -> int:
        return self.world.now + self.offset

    def monotonic(self) -> float:
        return self.world.now / 1000

    def sleep(self, seconds: float) -> None:
        """Wait. Raises TimedOut when the time limit of the work has passed."""
        until = self.world.now + round(seconds * 1000)
        if self.limit is None or until < self.limit:
            self.world.wait(self, until - self.world.now)
            return
        self.world.wait(self, max(0, self.limit - self.world.now))
        raise TimedOut

    @contextmanager
    def time_limit(self, seconds: float) -> Iterator[None]:
        """Interrupt the work after a time, at the latest when it sleeps."""
        self.limit = self.world.now + round(seconds * 1000)
        try:
            yield
        finally:
            self.limit = None

    def call(self, operation: str, parameters: Mapping[str, Any], effect: Callable[[], Any]) -> Any:
        """Make an AWS call, unless the plan has a fault for it."""
        return self.world.call(self, operation, parameters, effect)


@dataclass(frozen=True)
class Call:
    """An AWS call that was made: for the trace of a failure."""

    number: int
    at: int
    process: str
    operation: str
    fault: Fault | None

    def __str__(self) -> str:
        fault = f"  <- {self.fault}" if self.fault else ""
        return (
            f"{self.number:4d}  {(self.at - START) / 1000:9.3f} s  {self.process:22} {self.operation}{fault}"
        )


class World:
    """Runs events in the order of their times. Events of the same time run in the order of their creation.

    With a `seed` calls take random times; without one, always the same. If it `is_mixed`, half of the
    processes run a newer version of their function.
    """

    def __init__(
        self, seed: int | None = None, plan: Mapping[int, Fault] | None = None, *, is_mixed: bool = False
    ) -> None:
        self.now = self.start = START
        self.random = random.Random(seed or 0)
        self.is_random = seed is not None
        self.is_mixed = is_mixed
        self.plan = dict(plan or {})
        self.calls: list[Call] = []
        self._order = count()
        self._events: list[tuple[int, int, Callable[[], object]]] = []
        self._main = getcurrent()
        self._running: dict[greenlet, Process] = {}
        self.errors: list[str] = []
        """Exceptions that no function should raise."""

    @property
    def process(self) -> Process:
        """Return the process that is running."""
        return self._running[getcurrent()]

    @property
    def is_idle(self) -> bool:
        """Return whether no process runs or waits for an answer."""
        return not self._running

    def uniform(self, low: float, high: float) -> float:
        """Return a random time, or the average if nothing is random."""
        return self.random.uniform(low, high) if self.is_random else (low + high) / 2

    def after(self, milliseconds: float, event: Callable[[], object]) -> None:
        """Run an event later."""
        heapq.heappush(self._events, (self.now + round(milliseconds), next(self._order), event))

    def run(self, is_quiet: Callable[[], bool], until: int) -> None:
        """Run events until the world is quiet. Raises Stuck at the time `until` (epoch ms)."""
        while not is_quiet():
            if not self._events or self._events[0][0] > until:
                raise Stuck
            self.now, _, event = heapq.heappop(self._events)
            event()

    def spawn(
        self,
        name: str,
        work: Callable[[Process], Any],
        on_end: Callable[[Any, BaseException | None], object] = lambda *_: None,
        offset: int = 0,
    ) -> Process:
        """Run a process, now. `on_end` gets what it returned, or why it ended: Crash, or its exception."""
        process = Process(name, self, offset, self.is_mixed and self.random.random() < 0.5)

        def body() -> None:
            value: Any = None
            reason: BaseException | None = None
            try:
                value = work(process)
            except GreenletExit:
                raise
            except EXPECTED as error:
                reason = error
            except BaseException as error:  # noqa: BLE001  # a bug: the run reports it
                reason = error
                self.errors.append(f"{name}: {''.join(traceback.format_exception(error))}")
            del self._running[process.greenlet]
            on_end(value, reason)

        process.greenlet = greenlet(body, self._main)
        self._running[process.greenlet] = process
        self.after(0, process.greenlet.switch)
        return process

    def wait(self, process: Process, milliseconds: float) -> None:
        """Let other events run for this time."""
        self.after(milliseconds, process.greenlet.switch)
        self._main.switch()

    def call(
        self, process: Process, operation: str, parameters: Mapping[str, Any], effect: Callable[[], Any]
    ) -> Any:
        if process.is_dead:  # code that runs although the process has died, such as a finally clause
            raise Crash
        self.wait(process, self.uniform(1, 9))
        number = len(self.calls)
        fault = self.plan.get(number)
        self.calls.append(Call(number, self.now, process.name, operation, fault))
        if fault == "dies before":
            raise self.kill(process)
        if fault == "throttled":
            raise throttled(operation)
        result = effect()
        if fault == "dies after":
            raise self.kill(process)
        self.wait(process, self.uniform(1, 9))
        return result

    @staticmethod
    def kill(process: Process) -> Crash:
        """Let a process die. Returns what it must raise."""
        process.is_dead = True
        return Crash()


def throttled(operation: str) -> ClientError:
    """Return the error of a service that is asked too often."""
    service, _, name = operation.partition(".")
    codes = {
        "dynamodb": "ProvisionedThroughputExceededException",
        "sqs": "ThrottlingException",
        "sns": "Throttled",
    }
    return ClientError({"Error": {"Code": codes[service], "Message": "too many requests"}}, name)
