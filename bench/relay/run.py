"""Run one server under one load."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.relay.servers import Running, Start

SERVER_CORE, CLIENT_CORE = 0, 1


@dataclass(frozen=True)
class Scenario:
    """A load: `connections` streams, each of which receives `events` events at `per_second`."""

    name: str
    connections: int
    events: int
    per_second: float


@dataclass(frozen=True)
class Figures:
    """Results of one run.

    Latencies (`p50_ms`, `p99_ms`) are from publishing to reading, over all deliveries. `cpu_us` is the CPU
    time of the server per delivery. `memory_kb` is per stream.
    """

    connect_ms: float
    memory_kb: float
    p50_ms: float
    p99_ms: float
    seconds: float
    cpu_us: float
    lost: int


def run(start: Start, scenario: Scenario, load: Path, folder: Path) -> Figures:
    """Start the server, run the load client against it, and stop both."""
    with start(folder, SERVER_CORE) as server:
        memory_before = server.memory()
        with _load_client(load, server, scenario) as client:
            connect = float(_read_report(client, "connected"))
            memory = server.memory() - memory_before
            cpu_before = server.cpu()
            _resume(client)
            done = json.loads(_read_report(client, "done"))
            cpu = server.cpu() - cpu_before
            _resume(client)
    deliveries = done["expected"]
    return Figures(
        connect_ms=1000 * connect,
        memory_kb=memory / 1024 / scenario.connections,
        p50_ms=done["p50_us"] / 1000,
        p99_ms=done["p99_us"] / 1000,
        seconds=done["seconds"],
        cpu_us=cpu * 1e6 / deliveries,
        lost=deliveries - done["received"],
    )


def _load_client(load: Path, server: Running, scenario: Scenario) -> "subprocess.Popen[str]":
    command = [
        "taskset", "--cpu-list", str(CLIENT_CORE), str(load), str(server.port), "/live",
        str(scenario.connections), server.publish, str(scenario.events), str(scenario.per_second),
    ]  # fmt: skip
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=server.pass_fds, text=True
    )


def _read_report(client: "subprocess.Popen[str]", word: str) -> str:
    """Read a line and return the text after `word`. Raise RuntimeError if it does not begin with `word`."""
    assert client.stdout is not None
    line = client.stdout.readline()
    first, _, report = line.partition(" ")
    if first != word:
        raise RuntimeError(f"the load client printed {line!r} instead of a line that begins with {word!r}")
    return report


def _resume(client: "subprocess.Popen[str]") -> None:
    """Send the line that the load client waits for."""
    assert client.stdin is not None
    client.stdin.write("\n")
    client.stdin.flush()
