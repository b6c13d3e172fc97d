"""However late a change is delivered, and wherever a client resumes, it gets the change or a resync."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest

from functions.common.job import Job, shard_number
from functions.common.store import JobStore
from functions.sse_relay.cursor import LATE_MS
from functions.sse_relay.history.memory import MemoryHistory
from functions.sse_relay.history.table import TableHistory
from functions.sse_relay.http.poll import Poll
from functions.sse_relay.hub import Hub
from functions.sse_relay.job_change import JobChange
from functions.sse_relay.resume import read_backlog
from functions.sse_relay.subscription import Subscription
from tests.relay.conftest import NOW, job, run
from tests.relay.hub_clients import Client, events

MINUTE = 60_000
DELAYS = [0, 0, 0, 1_000, 10_000, MINUTE, 10 * MINUTE, 59 * MINUTE, 60 * MINUTE]
PAUSES = [0, 0, 10, 1_000, 20_000, MINUTE, 13 * MINUTE, 70 * MINUTE]
LIFETIME = 14 * MINUTE
JOBS = 6


class MemoryStore(JobStore):
    """A jobs table in memory, with its by-updated index."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}

    def get_many(self, job_ids: Iterable[str]) -> dict[str, Job]:
        return {job_id: self.jobs[job_id] for job_id in job_ids if job_id in self.jobs}

    def changed_since(self, shard_key: str, start: int, limit: int) -> list[str]:
        number = int(shard_key.rsplit("#", 1)[1])
        changed = [job for job in self.jobs.values() if job.updated_at >= start]
        return [job.id for job in changed if shard_number(job.id) == number][:limit]


@dataclass
class Relay:
    hub: Hub
    history: TableHistory


@dataclass
class Viewer:
    """A client. `cut` says after how many events of what it is sent next its connection breaks."""

    view: dict[str, int] = field(default_factory=dict)
    cursor: str = ""
    relay: Relay | None = None
    client: Client | None = None
    opened_at: int = 0
    on_stream: dict[str, int] = field(default_factory=dict)
    cut: int | None = None


class World:
    """The table, the changes on their way, relays and viewers, in simulated time (epoch ms)."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = NOW
        self.store = MemoryStore()
        self.poll = Poll()
        self.on_their_way: list[tuple[int, Job]] = []
        self.started = 0
        self.resyncs = 0
        self.relays = [self.new_relay(), self.new_relay()]
        self.viewers = [Viewer(cursor=str(NOW)) for _ in range(3)]

    def new_relay(self) -> Relay:
        self.started += 1
        hub = Hub(lambda: self.now / 1000, f"r{self.started}", ring_size=40)
        return Relay(hub, TableHistory(self.store, hub, lambda: self.now))

    def write(self) -> None:
        number = self.random.randrange(JOBS)
        before = self.store.jobs.get(job(number).id)
        version = before.version + 1 if before else 1
        changed = replace(job(number), version=version, updated_at=self.now)
        self.store.jobs[changed.id] = changed
        self.on_their_way.append((self.now + self.random.choice(DELAYS), changed))

    def pass_time(self, milliseconds: int) -> None:
        """Deliver what arrives in this time, each change at its own moment."""
        end = self.now + milliseconds
        while due := [entry for entry in self.on_their_way if entry[0] <= end]:
            entry = min(due, key=lambda each: each[0])
            self.on_their_way.remove(entry)
            self.now = max(self.now, entry[0])
            self.end_old_streams()
            for relay in self.relays:
                relay.hub.publish([JobChange.from_job(entry[1])])
            for viewer in self.viewers:
                self.read(viewer)
        self.now = end
        self.end_old_streams()

    def end_old_streams(self) -> None:
        for viewer in self.viewers:
            if self.now - viewer.opened_at > LIFETIME:
                self.read(viewer)
                self.disconnect(viewer)

    def read(self, viewer: Viewer) -> None:
        """Apply what has arrived, up to the point where the connection breaks."""
        if viewer.client is None:
            return
        for event_id, job_id, version in events(viewer.client.read_all()):
            if viewer.cut == 0:
                break
            viewer.cut = None if viewer.cut is None else viewer.cut - 1
            assert version > viewer.on_stream.get(job_id, 0), (
                "a version was repeated, or a job went backwards"
            )
            viewer.on_stream[job_id] = version
            viewer.view[job_id] = max(version, viewer.view.get(job_id, 0))
            viewer.cursor = event_id
        if viewer.cut == 0:
            self.disconnect(viewer)

    def disconnect(self, viewer: Viewer) -> None:
        if viewer.client is not None:
            viewer.client.stream.close()
            viewer.client.disconnect()
            viewer.client = None

    async def connect(self, viewer: Viewer, relay: Relay) -> None:
        self.read(viewer)
        self.disconnect(viewer)
        viewer.client = Client(relay.hub, self.poll, None, chunked=True)
        viewer.relay, viewer.opened_at, viewer.on_stream = relay, self.now, {}
        viewer.cut = self.random.choice([None, None, 1, 2, 3])
        wanted = Subscription(cursor=viewer.cursor)
        backlog = await read_backlog(relay.hub, relay.history, wanted, self.now)
        if backlog is None:  # resync: the viewer fetches the list
            self.resyncs += 1
            self.disconnect(viewer)
            viewer.view = {each.id: each.version for each in self.store.jobs.values()}
            viewer.cursor = str(self.now)
            await self.connect(viewer, relay)
            return
        assert relay.hub.start(viewer.client.stream, backlog)
        self.read(viewer)

    async def step(self) -> None:
        action = self.random.randrange(10)
        if action < 4:
            self.write()
        elif action < 8:
            viewer = self.random.choice(self.viewers)
            await self.connect(viewer, self.random.choice(self.relays))
        elif action == 8:
            viewer = self.random.choice(self.viewers)
            self.read(viewer)
            self.disconnect(viewer)
        else:  # a relay is replaced
            gone = self.relays.pop(self.random.randrange(2))
            for viewer in self.viewers:
                if viewer.relay is gone:
                    self.read(viewer)
                    self.disconnect(viewer)
            self.relays.append(self.new_relay())
        self.pass_time(self.random.choice(PAUSES))

    async def run(self) -> None:
        for _ in range(120):
            await self.step()
        self.pass_time(LATE_MS)
        for viewer in self.viewers:
            while viewer.client is None or viewer.cut is not None:
                await self.connect(viewer, self.random.choice(self.relays))

    def close(self) -> None:
        for viewer in self.viewers:
            self.disconnect(viewer)
        self.poll.close()


@pytest.mark.parametrize("seed", range(60))
def test_every_viewer_ends_with_the_state_of_the_table(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        world = World(seed)
        try:
            await world.run()
            table = {each.id: each.version for each in world.store.jobs.values()}
            assert [viewer.view for viewer in world.viewers] == [table] * 3
        finally:
            world.close()

    run(test())


@pytest.mark.parametrize("delay", DELAYS)
def test_a_change_that_was_late_is_sent_to_a_client_that_had_seen_a_newer_one(delay: int) -> None:
    """A client sees B and leaves. A, changed before B, is delivered; the client resumes with B's id."""

    async def test() -> None:
        hub = Hub(lambda: 0.0, "r1")
        memory = MemoryHistory(hub, clock=lambda: 0)
        late, seen = job(1, updated_at=NOW - delay), job(2, updated_at=NOW)
        (event,) = hub.publish([JobChange.from_job(seen)])
        ((cursor, _, _),) = events(event.chunk)
        memory.remember(hub.publish([JobChange.from_job(late)]))
        store = MemoryStore()
        store.jobs = {late.id: late, seen.id: seen}
        started, poll = Hub(lambda: 0.0, "r2"), Poll()
        for relay, history in (
            (hub, memory),
            (hub, TableHistory(store, hub, lambda: NOW)),
            (started, TableHistory(store, started, lambda: NOW)),
        ):
            client = Client(relay, poll, None, chunked=True)
            backlog = await read_backlog(relay, history, Subscription(cursor=cursor), NOW)
            assert backlog is not None
            relay.start(client.stream, backlog)
            assert late.id in {job_id for _, job_id, _ in events(client.read_all())}
            client.stream.close()
            client.disconnect()
        poll.close()

    run(test())
