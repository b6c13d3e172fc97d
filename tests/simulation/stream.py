"""The jobs table's stream: ordered for each job only, delivered at least once, in batches that are bisected.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from tests.simulation.world import Process, World

SHARDS = 2
WINDOW_MS = (50, 500)
RETRY_MS = 1000
BATCH = 99
TWICE = 0.03
"""Share of the batches that two invocations process at the same time, if the world is random."""
REPEATED = 0.03
"""Share of the batches that are delivered again although they were processed, if the world is random."""

Record = dict[str, Any]


@dataclass
class Shard:
    """Invokes a function with the records of some jobs, in order."""

    world: World
    name: str
    work: Callable[[Process, list[Record]], object]
    offset: Callable[[], int]
    records: list[Record] = field(default_factory=list)
    size: int = BATCH
    is_running: bool = False
    twins: int = 0
    """Second invocations with a batch that are still running."""

    def add(self, record: Record) -> None:
        self.records.append(record)
        self._schedule(self.world.uniform(*WINDOW_MS))

    def _schedule(self, milliseconds: float) -> None:
        if not self.is_running:
            self.is_running = True
            self.world.after(milliseconds, self._invoke)

    def _invoke(self) -> None:
        batch = self.records[: self.size]

        def end(_: Any, error: BaseException | None) -> None:
            self.is_running = False
            if error is not None:
                self.size = max(1, self.size // 2)
                self._schedule(RETRY_MS)
                return
            self.size = BATCH
            if not (self.world.is_random and self.world.random.random() < REPEATED):
                del self.records[: len(batch)]
            if self.records:
                self._schedule(self.world.uniform(*WINDOW_MS))

        def end_twin(*_: object) -> None:
            self.twins -= 1

        self._spawn(batch, end)
        if self.world.is_random and self.world.random.random() < TWICE:
            self.twins += 1
            self._spawn(batch, end_twin)

    def _spawn(self, batch: list[Record], end: Callable[[Any, BaseException | None], object]) -> None:
        self.world.spawn(self.name, lambda process: self.work(process, batch), end, self.offset())


class JobStream:
    """Gets every change of a job. Passes it to the counter, and to the topic."""

    def __init__(
        self,
        world: World,
        count: Callable[[Process, list[Record]], object],
        publish: Callable[[Record], object],
        offset: Callable[[], int] = lambda: 0,
    ) -> None:
        self._world = world
        self._publish = publish
        self._shards = [Shard(world, "job_counter", count, offset) for _ in range(SHARDS)]
        self._number = 0

    @property
    def is_consumed(self) -> bool:
        return not any(shard.records or shard.is_running or shard.twins for shard in self._shards)

    def add(self, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
        """Append the record of a change."""
        image = new or old or {}
        self._number += 1
        images = {"OldImage": old, "NewImage": new}
        change = {name: value for name, value in images.items() if value is not None}
        record = {
            "eventID": str(self._number),
            "eventName": "MODIFY" if old and new else "INSERT" if new else "REMOVE",
            "dynamodb": {"Keys": {"id": image["id"]}, **change},
        }
        self._shards[crc32(image["id"]["S"].encode()) % SHARDS].add(record)
        self._publish(record)
