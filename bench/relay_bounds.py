"""The relay's memory at its limits: readers that do not read, orphaned sockets, and giant events.

The memory of the kernel is counted too, because ECS counts it. `ss` reports it, in total and per socket.
"""

import json
import os
import re
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.relay.servers import Running, relay
from infra.settings import SIZES, Settings

MB = 1024 * 1024
REQUEST = b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n"
RECEIVE_BYTES = 4096
"""The receive buffer of a client: what it does not read stays with the relay."""
EVENT_BYTES, GIANT_BYTES = 4_000, 250_000
ADDRESS_STREAMS = 200
"""Streams that one address may have open."""
RECONNECTS = 12
LIMIT_SECONDS = 120


@dataclass
class Peak:
    """The largest values so far, in bytes: private memory of the process, memory of its sockets."""

    process: int = 0
    kernel: int = 0
    sockets: int = 0

    def sample(self, server: Running) -> None:
        kernel, sockets = kernel_memory(server.port)
        self.process = max(self.process, server.memory())
        self.kernel, self.sockets = max(self.kernel, kernel), max(self.sockets, sockets)


def measure() -> None:
    """Print the bound, what was measured, and the memory of a task."""
    print("\nMemory of the relay at its limits, in MB\n")
    print(f"{'':62}{'process':>9}{'sockets':>9}{'task':>7}")
    default = Settings.relay_streams, Settings.relay_memory
    small = SIZES["small"]["relay_streams"], SIZES["small"]["relay_memory"]
    for streams, memory in (default, small):
        peak = _slow_readers(int(streams))
        _print(f"{streams:,} streams that do not read, until they are dropped", peak, memory)
    peak, remaining = _orphans()
    _print(f"{RECONNECTS * ADDRESS_STREAMS:,} streams of one address, one after another", peak, default[1])
    print(f"    sockets that remain after they were dropped: {remaining}")
    _print(f"giant events to {ADDRESS_STREAMS} streams that do not read", _giant_events(), default[1])


def _print(name: str, peak: Peak, memory: object) -> None:
    print(f"{name:62}{peak.process / MB:9.0f}{peak.kernel / MB:9.0f}{memory!s:>7}")


def _slow_readers(streams: int) -> Peak:
    """Open all streams that a task accepts, and publish until the last one has been dropped."""
    peak = Peak()
    with _relay() as server, _clients(server, streams):
        _fill(server, peak, lambda: peak.sockets and kernel_memory(server.port)[1] < streams / 2)
    return peak


def _orphans() -> tuple[Peak, int]:
    """Let one address connect and never read, again and again. Return how many sockets remain, too."""
    peak = Peak()
    with _relay() as server, ExitStack() as clients:
        for _ in range(RECONNECTS):
            clients.enter_context(_clients(server, ADDRESS_STREAMS))
            _fill(server, peak, lambda: kernel_memory(server.port)[1] == 0)
        return peak, kernel_memory(server.port)[1]


def _giant_events() -> Peak:
    """Publish giant events of distinct jobs: more of them than the ring holds."""
    peak = Peak()
    with _relay() as server, _clients(server, ADDRESS_STREAMS):
        for _ in range(100):
            _publish(server, GIANT_BYTES)
            peak.sample(server)
    return peak


def _fill(server: Running, peak: Peak, is_done: Callable[[], object]) -> None:
    """Publish until a condition holds. Raise TimeoutError after LIMIT_SECONDS."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not is_done():
        if time.monotonic() > deadline:
            raise TimeoutError("the readers were not dropped")
        _publish(server, EVENT_BYTES)
        peak.sample(server)


def _publish(server: Running, size: int) -> None:
    now = time.time_ns() // 1_000_000
    event = {"id": str(uuid.uuid4()), "version": 1, "updated_at": now, "text": "x" * size}
    line = json.dumps(event).encode() + b"\n"
    while line:  # a full pipe blocks, so the relay keeps up
        line = line[os.write(int(server.publish), line) :]


@contextmanager
def _relay() -> Iterator[Running]:
    with tempfile.TemporaryDirectory() as folder, relay(Path(folder), core=0) as server:
        yield server


@contextmanager
def _clients(server: Running, count: int) -> Iterator[None]:
    """Open streams that are never read. Wait until all of them have started."""
    with ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
            client.connect(("127.0.0.1", server.port))
            client.sendall(REQUEST)
            client.recv(1, socket.MSG_PEEK)
        yield


def kernel_memory(port: int) -> tuple[int, int]:
    """Return the kernel's memory for the connections of a server, in bytes, and their number."""
    command = [
        "ss",
        "--tcp",
        "--all",
        "--memory",
        "--numeric",
        "--no-header",
        "--oneline",
        f"sport = :{port}",
    ]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    lines = [line for line in lines if not line.startswith("LISTEN")]
    return sum(int(size) for line in lines for size in re.findall(r"[(,][rwf](\d+)", line)), len(lines)
