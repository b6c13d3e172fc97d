"""The topic of the simulation, its relays from their start to what the janitor does, and their viewers."""

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from functions.relay_janitor.remove_relay import RelayJanitor
from functions.sse_relay.feed import SETTLE_SECONDS, SqsFeed
from functions.sse_relay.history import INDEX_LAG_SECONDS
from tests.simulation.callers import owner_digest
from tests.simulation.damage import damaged_copies
from tests.simulation.stream import Record
from tests.simulation.system import System
from tests.simulation.topic import PREFIX, TOPIC, QueuesClient, RelayQueues
from tests.simulation.viewers import Relay, Viewer
from tests.simulation.world import Process

RELAYS = 2
DELIVERY_MS = (100, 800)
LATE = 0.03
LATE_MS = (10_000, 30 * 60_000)
"""A share of the deliveries is late: the Pipe retries."""
REPEATED = 0.03
RESTARTS = 2
KILLED = 0.5
"""Share of the relays that end without deleting their queue."""
EVENT_MS = (1_000, 10_000)
"""From the end of a task to the event that starts the janitor."""
JANITOR_RETRY_MS = 60_000
"""Lambda invokes a function twice more after errors: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""
STARTING_MS = 1000 * (SETTLE_SECONDS + INDEX_LAG_SECONDS)


class _Immediate(Executor):
    """Runs everything at once, in the caller's thread."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def submit(self, function: Any, /, *arguments: Any, **keywords: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments, **keywords))
        except Exception as error:  # noqa: BLE001  # as executors do
            future.set_exception(error)
        return future


class Relays:
    """The topic, the relays and their viewers."""

    def __init__(self, system: System, owners: tuple[str, ...]) -> None:
        self.system = system
        self.loop = asyncio.new_event_loop()
        self.away = 0
        self._delivering = 0
        self._started = 0
        self._changing = 0
        """Relays that start or stop, and janitors that run."""
        self.queues = RelayQueues()
        self.running = [self._new_relay() for _ in range(RELAYS)]
        self.queues.queues.update(f"{PREFIX}{relay.name}" for relay in self.running)
        self.queues.subscriptions.update({f"{TOPIC}:{name}": name for name in self.queues.queues})
        self.viewers = [Viewer(f"viewer {owner} {n}", self, owner) for owner in owners for n in range(2)]
        system.on_published = self.publish
        system.replace_relay = self._replace
        for viewer in self.viewers:
            viewer.connect()
        if system.world.is_random:
            for _ in range(RESTARTS):
                system.world.after(system.world.uniform(1_000, 120_000), self._replace)

    @property
    def is_quiet(self) -> bool:
        if self._delivering or self.away or self._changing:
            return False
        return all(viewer.stream for viewer in self.viewers)

    def watch(self, owner: str, job_id: str) -> None:
        """Let a viewer ask for one job only."""
        viewer = Viewer(f"viewer of {job_id}", self, owner, job_id)
        self.viewers.append(viewer)
        viewer.connect()

    def publish(self, record: Record) -> None:
        """Deliver a record to the queue of each running relay: in any order, sometimes twice or late."""
        world = self.system.world
        body = json.dumps(record)
        for relay in self.running:
            self._deliver(relay, body, world.uniform(*DELIVERY_MS))
            if world.is_random and world.random.random() < REPEATED:
                self._deliver(relay, body, world.uniform(*LATE_MS))
            if world.is_random and world.random.random() < REPEATED:
                for damaged in damaged_copies(record, world.random):
                    self._deliver(relay, damaged, world.uniform(*DELIVERY_MS))

    def breaches(self) -> list[str]:
        """Compare what each viewer shows with the table."""
        problems = [breach for viewer in self.viewers for breach in viewer.breaches]
        jobs = self.system.jobs()
        for viewer in self.viewers:
            for job in jobs.values():
                if job.owner != owner_digest(viewer.owner) or viewer.job not in (None, job.id):
                    continue
                seen = viewer.seen.get(job.id)
                if seen != json.loads(json.dumps(job.public_view())):
                    shown = f"version {seen['version']} {seen['status']}" if seen else "nothing"
                    problems.append(
                        f"{viewer.name} shows {shown} of {job.id}, not version {job.version} {job.status}"
                    )
        expected = {f"{PREFIX}{relay.name}" for relay in self.running}
        if self.queues.queues != expected or set(self.queues.subscriptions.values()) != expected:
            problems.append(f"the relays {sorted(expected)} run, but there are {self.queues}")
        return problems

    def close(self) -> None:
        self.loop.close()

    def _deliver(self, relay: Relay, body: str, milliseconds: float) -> None:
        world = self.system.world
        if world.is_random and world.random.random() < LATE:
            milliseconds = world.uniform(*LATE_MS)
        self._delivering += 1

        def arrive() -> None:
            self._delivering -= 1
            relay.publish(body)

        world.after(milliseconds, arrive)

    def _new_relay(self) -> Relay:
        self._started += 1
        return Relay(f"r{self._started}", self)

    def _replace(self) -> None:
        """End a relay, and start another one, which does not get what was published before."""
        world = self.system.world
        relay = self.running.pop(world.random.randrange(len(self.running)))
        relay.is_alive = False
        for viewer in self.viewers:
            if viewer.relay is relay and viewer.stream:
                viewer.cut(viewer.stream)
        self._changing += 1
        if world.random.random() < KILLED:
            self._clean_up(relay)
        else:
            stop = self._feed_step(relay, SqsFeed._unsubscribe)
            world.spawn("relay", stop, lambda *_: self._clean_up(relay))
        self._start()

    def _start(self) -> None:
        """Start a relay. If it dies before it is subscribed, start another."""
        world = self.system.world
        relay = self._new_relay()
        self._changing += 1

        def end(_: Any, error: BaseException | None) -> None:
            if error is not None:
                self._clean_up(relay)
                self._start()
                return
            self._changing -= 1
            relay.ready_at = world.now + round(STARTING_MS)
            self.running.append(relay)

        world.spawn("relay", self._feed_step(relay, SqsFeed._subscribe), end)

    def _feed_step(self, relay: Relay, step: Callable[[SqsFeed], None]) -> Callable[[Process], None]:
        """Return a process that subscribes the relay's queue, or deletes it, as the product does."""

        def run(process: Process) -> None:
            client: Any = QueuesClient(self.queues, process)
            queue = f"{PREFIX}{relay.name}"
            feed = SqsFeed(client, client, TOPIC, queue, on_damaged=lambda *_: None)
            feed._queue_url, feed._subscription = queue, f"{TOPIC}:{queue}"
            step(feed)

        return run

    def _clean_up(self, relay: Relay, tries: int = 3) -> None:
        """Let the janitor remove what a relay has left behind."""
        world = self.system.world

        def run(process: Process) -> None:
            client: Any = QueuesClient(self.queues, process)
            RelayJanitor(client, client, TOPIC, PREFIX).remove(relay.name)

        def end(_: Any, error: BaseException | None) -> None:
            if error is not None and tries > 1:
                world.after(JANITOR_RETRY_MS, lambda: self._clean_up(relay, tries - 1))
            else:
                self._changing -= 1

        delay = world.uniform(*EVENT_MS)
        world.after(delay, lambda: world.spawn("relay_janitor", run, end))


@contextmanager
def immediate_history() -> Iterator[None]:
    """Let the history read in this thread."""
    with patch("functions.sse_relay.history.table.ThreadPoolExecutor", _Immediate):
        yield
