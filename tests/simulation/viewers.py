"""A relay process of the simulation, and viewers whose streams are cut and resume.

Hub, ring, cursors and history are the product's. Sockets are replaced: a stream passes its events on at once.
"""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from functions.common.clock import Clock
from functions.common.store import JobStore
from functions.sse_relay.feed import SqsFeed
from functions.sse_relay.history.table import TableHistory
from functions.sse_relay.hub import Backlog, Hub
from functions.sse_relay.job_change import JobChange, unchunk
from functions.sse_relay.resume import read_backlog
from functions.sse_relay.stream import Stream
from functions.sse_relay.subscription import Subscription
from tests.simulation.callers import owner_digest
from tests.simulation.dynamodb import DynamoDBClient

if TYPE_CHECKING:
    from tests.simulation.relays import Relays

LIFE_MS = (2_000, 60_000)
AWAY_MS = (100, 20_000)
"""How long streams live, and how long their viewers are away, if the world is random."""


@dataclass
class SimulatedStream:
    """Stands for an open stream. It takes the hub's slow path, which makes no system call."""

    viewer: "Viewer"
    owner: str | None
    jobs: frozenset[str] | None
    chunked: bool = False
    is_open: bool = True
    is_pending: bool = False
    descriptor: int = -1
    last_write: float = 0.0
    backlog_versions: Any = None
    versions: dict[str, int] = field(default_factory=dict)

    def __hash__(self) -> int:
        return id(self)

    wants = Stream.wants

    def send(self, chunk: bytes) -> None:
        self.viewer.receive(self, bytes(unchunk(chunk)))

    def send_backlog(self, chunks: list[bytes]) -> None:
        for chunk in chunks:
            self.send(chunk)


class Relay:
    """A relay process, from its start to its death."""

    def __init__(self, name: str, relays: "Relays") -> None:
        self.name = name
        self._relays = relays
        world = relays.system.world
        self._now: Clock = lambda: world.now
        self.is_alive = True
        self.ready_at = world.now
        self.hub = Hub(lambda: world.now / 1000, name)
        client: Any = DynamoDBClient(relays.system.tables, lambda _, __, effect: effect())
        self.history = TableHistory(JobStore(client, "jobs", self._now), self.hub, clock=self._now)
        self.streams: set[SimulatedStream] = set()

    def publish(self, body: str) -> None:
        """Receive a message as the feed does."""
        damaged: list[str] = []

        class Feed:
            @staticmethod
            def _on_damaged(*reason: object) -> None:
                damaged.append(str(reason))

        job = SqsFeed._parse(cast(SqsFeed, Feed), {"Body": body, "MessageId": "m"})
        if job and self.is_alive:
            self.hub.publish([JobChange.from_job(job)])

    def open(self, viewer: "Viewer", wanted: Subscription) -> SimulatedStream:
        """Open a stream as functions/sse_relay/relay.py does."""
        stream = SimulatedStream(viewer, wanted.owner, wanted.jobs)
        self.streams.add(stream)
        real = cast(Stream, stream)
        if wanted.jobs is None and not wanted.cursor:
            self.hub.join(real)
            return stream
        loop = self._relays.loop
        backlog = loop.run_until_complete(read_backlog(self.hub, self.history, wanted, self._now()))
        if backlog is None:
            viewer.resync()
            backlog = Backlog([], self.hub.position)
        assert self.hub.start(real, backlog)
        return stream

    def close(self, stream: SimulatedStream) -> None:
        self.hub.remove(cast(Stream, stream))
        self.streams.discard(stream)
        stream.is_open = False


@dataclass
class Viewer:
    """A browser of an owner that shows all its jobs, or one. `seen` has the newest version of each."""

    name: str
    relays: "Relays"
    owner: str
    job: str | None = None
    cursor: str = ""
    seen: dict[str, dict[str, Any]] = field(default_factory=dict)
    breaches: list[str] = field(default_factory=list)
    relay: Relay | None = None
    stream: SimulatedStream | None = None
    streams: int = 0

    def connect(self) -> None:
        """Connect to any relay, and be cut after some time."""
        world = self.relays.system.world
        relay = world.random.choice(self.relays.running)
        if world.now < relay.ready_at:
            world.after(500, self.connect)
            return
        jobs = frozenset([self.job]) if self.job else None
        if jobs is None and not self.cursor:
            self.resync()
        self.relay = relay
        self.stream = relay.open(self, Subscription(jobs, self.cursor, owner_digest(self.owner)))
        if world.is_random:
            stream = self.stream
            self.streams += 1  # each lives longer than the last one: most happens at the beginning
            world.after(self.streams * world.uniform(*LIFE_MS), lambda: self.cut(stream))

    def cut(self, stream: SimulatedStream | None) -> None:
        """Lose this stream, unless it was lost before, and return later."""
        world = self.relays.system.world
        if self.stream is not stream:
            return
        if self.relay and self.stream:
            self.relay.close(self.stream)
        self.stream = None
        self.relays.away += 1

        def back() -> None:
            self.relays.away -= 1
            self.connect()

        world.after(world.uniform(*AWAY_MS), back)

    def resync(self) -> None:
        """Fetch the list."""
        system = self.relays.system
        self.cursor = str(system.world.now)
        for job in system.jobs().values():
            if job.owner == owner_digest(self.owner):
                self._see(json.loads(json.dumps(job.public_view())))

    def receive(self, stream: SimulatedStream, event: bytes) -> None:
        head, _, data = event.decode().partition("\ndata: ")
        self.cursor = head.removeprefix("id: ")
        job = json.loads(data)
        if job["version"] <= stream.versions.get(job["id"], 0):
            self.breaches.append(f"{self.name} got version {job['version']} of {job['id']} after a newer one")
        stream.versions[job["id"]] = job["version"]
        _, stored = self.relays.system.histories[job["id"]].changes[0]
        owner = stored.owner
        if owner != owner_digest(self.owner) or (self.job and job["id"] != self.job):
            self.breaches.append(
                f"{self.name} got the job {job['id']}, which it may not see or did not ask for"
            )
        self._see(job)

    def _see(self, job: dict[str, Any]) -> None:
        shown = self.seen.get(job["id"])
        if shown is None or job["version"] > shown["version"]:
            self.seen[job["id"]] = job
