"""One run of one server under one load."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.relay.servers import Start

SERVER_CORE, CLIENT_CORE = 0, 1


@dataclass(frozen=True)
class Scenario:
    """So many streams, and so many events to each of them."""

    name: str
    connections: int
    events: int
    per_second: float


@dataclass(frozen=True)
class Figures:
    """Of one run. Latencies over all deliveries, from publishing to reading; `cpu_us` of the server alone."""

    connect_ms: float
    memory_kb: float
    p50_ms: float
    p99_ms: float
    seconds: float
    cpu_us: float
    lost: int


def run(start: Start, scenario: Scenario, load: Path, folder: Path) -> Figures:
    """Start the server, load it, end it."""
    with start(folder, SERVER_CORE) as running:
        empty = running.memory()
        command = [
            "taskset", "--cpu-list", str(CLIENT_CORE), str(load), str(running.port), "/live",
            str(scenario.connections), running.publish, str(scenario.events), str(scenario.per_second),
        ]  # fmt: skip
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=running.pass_fds,
            text=True,
        ) as client:
            connect = float(_told(client, "connected"))
            memory = running.memory() - empty
            cpu = running.cpu()
            _go_on(client)
            done = json.loads(_told(client, "done"))
            cpu = running.cpu() - cpu
            _go_on(client)
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


def _told(client: "subprocess.Popen[str]", word: str) -> str:
    assert client.stdout is not None
    line = client.stdout.readline()
    said, _, rest = line.partition(" ")
    if said != word:
        raise RuntimeError(f"the load client said {line!r}, not {word}")
    return rest


def _go_on(client: "subprocess.Popen[str]") -> None:
    assert client.stdin is not None
    client.stdin.write("\n")
    client.stdin.flush()
