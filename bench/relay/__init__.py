"""Compare the relay with nchan and with a bare loop of `send()`, on this machine in one run.

Rounds are interleaved: each round starts every server once, alone on one core, and sends the load from the
other core. The tables show medians over all rounds, and medians of the ratios within each round.
BASELINE=<path> names the checkout of another commit, whose relay takes part, too.
"""

import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

from bench.relay.run import Figures, Scenario, run
from bench.relay.servers import NCHAN, SERVERS, Start, compile_c, relay

ROUNDS = 5
SCENARIOS = (
    Scenario("2,000 streams, 10 events/s", connections=2000, events=100, per_second=10),
    Scenario("9,000 streams, 3 events/s", connections=9000, events=30, per_second=3),
    Scenario("burst of 1,000 events to 200 streams", connections=200, events=1000, per_second=1e6),
)
"""All but the burst stay below saturation. A write to loopback takes about 13 µs."""
COLUMNS = {
    "connect_ms": "connect ms",
    "memory_kb": "KB/stream",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "seconds": "seconds",
    "cpu_us": "CPU µs/delivery",
    "lost": "lost",
}


def measure() -> None:
    """Print a table for each scenario."""
    servers = dict(SERVERS)
    if baseline := os.environ.get("BASELINE"):
        servers["baseline"] = partial(relay, checkout=Path(baseline))
    if not NCHAN.exists() or shutil.which("nginx") is None:
        print(
            "nchan is not installed and was skipped; on Debian: apt install nginx-light libnginx-mod-nchan",
            file=sys.stderr,
        )
        del servers["nchan"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        load = compile_c("load", folder)
        compile_c("bare_loop", folder)
        for scenario in SCENARIOS:
            rounds = [
                {server: run(start, scenario, load, folder) for server, start in _rotated(servers, number)}
                for number in range(ROUNDS)
            ]
            _print(scenario, rounds)


def _rotated(servers: dict[str, Start], number: int) -> list[tuple[str, Start]]:
    """Return the servers for round `number`. Each round begins with another one, which varies their order."""
    items = list(servers.items())
    first = number % len(items)
    return items[first:] + items[:first]


def _print(scenario: Scenario, rounds: list[dict[str, Figures]]) -> None:
    print(f"\n{scenario.name}: medians of {len(rounds)} rounds\n")
    print(f"{'':22}" + "".join(f"{title:>17}" for title in COLUMNS.values()))
    for server in rounds[0]:
        values = [median(getattr(figures[server], column) for figures in rounds) for column in COLUMNS]
        print(f"{server:22}" + "".join(f"{value:17.2f}" for value in values))
    relays = [name for name in ("relay", "baseline") if name in rounds[0]]
    for ours, theirs in [(ours, theirs) for ours in relays for theirs in rounds[0] if theirs not in relays]:
        ratios = [_ratio(rounds, ours, theirs, column) for column in COLUMNS]
        print(f"{f'{ours} / {theirs}':22}" + "".join(ratios))


def _ratio(rounds: list[dict[str, Figures]], ours: str, theirs: str, column: str) -> str:
    pairs = [(getattr(figures[ours], column), getattr(figures[theirs], column)) for figures in rounds]
    ratios = [our_value / their_value for our_value, their_value in pairs if their_value]
    return f"{median(ratios):17.3f}" if ratios else f"{'':17}"
