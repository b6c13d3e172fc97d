"""Run a relay: `python -m functions.sse_relay`."""

import argparse
import asyncio
import os

from functions.sse_relay.admission import Limits
from functions.sse_relay.process import run_relay


def arguments() -> argparse.Namespace:
    limits = Limits()
    parser = argparse.ArgumentParser(prog="python -m functions.sse_relay", description=__doc__)
    parser.add_argument(
        "--feed",
        choices=("sqs", "stdin"),
        default="sqs",
        help="source of changes; stdin: one job per line (it may have an owner), until the input ends",
    )
    parser.add_argument(
        "--history", choices=("table", "memory"), help="source of past changes; memory with --feed stdin"
    )
    parser.add_argument(
        "--host", default="localhost", help="address to listen on; 0.0.0.0 for all of IPv4, :: for all"
    )
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    parser.add_argument(
        "--drain-seconds", type=float, default=10, help="time over which the streams end when the relay stops"
    )
    parser.add_argument(
        "--max-streams", type=int, default=limits.max_streams, help="maximum number of open streams"
    )
    parser.add_argument(
        "--max-per-address", type=int, default=limits.max_per_address, help="maximum per client address"
    )
    proxy = parser.add_mutually_exclusive_group()
    proxy.add_argument(
        "--trusted-proxies",
        type=int,
        default=limits.trusted_proxies,
        help="number of proxies that append to X-Forwarded-For",
    )
    proxy.add_argument(
        "--address-header",
        default=limits.address_header,
        help="header in which the proxy in front sends the client's address",
    )
    parser.add_argument(
        "--embedded-metrics", action="store_true", help="write metrics for CloudWatch to the log every minute"
    )
    options = parser.parse_args()
    options.history = options.history or {"sqs": "table", "stdin": "memory"}[options.feed]
    return options


if __name__ == "__main__":
    asyncio.run(run_relay(arguments()))
