"""`make bench`: measure what docs/performance.md says, on this machine.

python -m bench            all of it (some minutes: it installs everything anew)
python -m bench latency    from POST to the live event, one job at a time
python -m bench throughput jobs a second that the local run resolves
python -m bench imports    what the handlers take to start, beside boto3's clients alone
python -m bench memory     memory and processor time of each function
python -m bench relay      the relay beside nchan and a bare loop in C
python -m bench start      a fresh clone to "ready", and a second start
python -m bench web        how quickly the web app shows itself
"""

import sys

from bench import imports, latency, memory, relay, start, throughput, web
from local.processes import raise_on_sigterm

PARTS = {
    "latency": latency.measure,
    "throughput": throughput.measure,
    "imports": imports.measure,
    "memory": memory.measure,
    "start": start.measure,
    "relay": relay.measure,
    "web": web.measure,
}


def main(names: list[str]) -> int:
    """Run the parts named, or all. Returns the exit status."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; known are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    raise_on_sigterm()
    for name in names or PARTS:
        PARTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
