"""Measure the figures in docs/performance.md on this machine: `make bench`, or `python -m bench --help`."""

import argparse
import sys

from bench import bounds, due, imports, isolation, latency, memory, relay, start, throughput, web
from local.processes import raise_on_sigterm

PARTS = {
    "latency": (latency.measure, "time from POST to the live event, one job at a time"),
    "isolation": (isolation.measure, "photos while another kind is busy and a third one crashes"),
    "due": (due.measure, "time until 10,000 delayed jobs, and 1,000 schedules, of one minute are queued"),
    "throughput": (throughput.measure, "jobs per second that the local run resolves"),
    "imports": (imports.measure, "start-up time of each handler, compared with its boto3 clients alone"),
    "memory": (memory.measure, "memory and CPU time of each function"),
    "bounds": (bounds.measure, "memory at the limits: slow readers, orphaned sockets, giant events"),
    "start": (start.measure, 'time from a fresh clone to "ready", and of a second start'),
    "relay": (relay.measure, "the relay compared with nchan and a bare loop in C"),
    "web": (web.measure, "loading time of the web app"),
}
"""Each part of the benchmark, with its line in the help."""


def main(arguments: list[str]) -> int:
    """Run the given parts, or all of them. Return the exit status."""
    parser = _parser()
    names = parser.parse_args(arguments).parts
    if unknown := [name for name in names if name not in PARTS]:
        parser.error(f"unknown part: {', '.join(unknown)} (choose from {', '.join(PARTS)})")
    raise_on_sigterm()
    for name in names or PARTS:
        measure, _ = PARTS[name]
        measure()
    return 0


def _parser() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:12}{description}" for name, (_, description) in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure the figures in docs/performance.md on this machine.",
        epilog=f"parts:\n{lines}\n\nWhat a deployment costs is computed by `python -m bench.cost`.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "parts", nargs="*", metavar="part",
        help="what to measure; without it everything, which takes several minutes and installs all packages",
    )  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
