"""The relay beside nchan and beside a bare loop of `send()`, on this machine in one run.

Rounds are interleaved: in each round every server is started anew, alone on one core, and loaded from the
other one. What is told are medians over the rounds, and medians of the ratios within each round.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

from bench.relay.run import Figures, Scenario, run
from bench.relay.servers import NCHAN, SERVERS, Start, compile_c

ROUNDS = 5
SCENARIOS = (
    Scenario("2,000 streams, 10 events/s", connections=2000, events=100, per_second=10),
    Scenario("9,000 streams, 3 events/s", connections=9000, events=30, per_second=3),
    Scenario("burst of 1,000 events to 200 streams", connections=200, events=1000, per_second=1e6),
)
"""Below saturation, but for the burst: a write to loopback takes some 13 µs."""
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
    if not NCHAN.exists() or shutil.which("nginx") is None:
        print(
            "nchan is left out: it is not installed (Debian: nginx-light libnginx-mod-nchan)", file=sys.stderr
        )
        del servers["nchan"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        load = compile_c("load", folder)
        compile_c("bare_loop", folder)
        for scenario in SCENARIOS:
            rounds = [
                {server: run(start, scenario, load, folder) for server, start in _turned(servers, number)}
                for number in range(ROUNDS)
            ]
            _tell(scenario, rounds)


def _turned(servers: dict[str, Start], number: int) -> list[tuple[str, Start]]:
    """Each round begins with another server, so that none always follows the same."""
    items = list(servers.items())
    first = number % len(items)
    return items[first:] + items[:first]


def _tell(scenario: Scenario, rounds: list[dict[str, Figures]]) -> None:
    print(f"\n{scenario.name}: medians of {len(rounds)} rounds\n")
    print(f"{'':22}" + "".join(f"{title:>17}" for title in COLUMNS.values()))
    for server in rounds[0]:
        values = [median(getattr(figures[server], column) for figures in rounds) for column in COLUMNS]
        print(f"{server:22}" + "".join(f"{value:17.2f}" for value in values))
    for other in rounds[0]:
        if other != "relay":
            print(f"{'relay / ' + other:22}" + "".join(_ratio(rounds, other, column) for column in COLUMNS))


def _ratio(rounds: list[dict[str, Figures]], other: str, column: str) -> str:
    pairs = [(getattr(one["relay"], column), getattr(one[other], column)) for one in rounds]
    ratios = [ours / theirs for ours, theirs in pairs if theirs]
    return f"{median(ratios):17.2f}" if ratios else f"{'':17}"
