"""Run a relay: `python -m functions.sse_relay`."""

import argparse
import asyncio
import os
import signal
from dataclasses import dataclass

import boto3
import uvloop
from aiohttp import web

from functions.common.observability import logger
from functions.common.settings import load
from functions.sse_relay.change import Change
from functions.sse_relay.feed import Feed, SqsFeed, StdinFeed
from functions.sse_relay.history import History, MemoryHistory, TableHistory
from functions.sse_relay.hub import Hub
from functions.sse_relay.server import Relay


@dataclass(frozen=True)
class Settings:
    """From the environment, for the SQS feed."""

    topic_arn: str
    jobs_table: str
    queue_prefix: str


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m functions.sse_relay", description=__doc__)
    parser.add_argument("--feed", choices=("sqs", "stdin"), default="sqs", help="where changes come from")
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on")  # noqa: S104
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    parser.add_argument(
        "--drain-seconds", type=float, default=10, help="over which the streams go when the relay stops"
    )
    return parser.parse_args()


def sources(feed: str) -> tuple[Feed, History]:
    """The feed asked for, and the history that belongs to it."""
    if feed == "stdin":
        return StdinFeed(), MemoryHistory()
    settings = load(Settings, os.environ)
    sqs_feed = SqsFeed(boto3.client("sqs"), boto3.client("sns"), settings.topic_arn, settings.queue_prefix)
    return sqs_feed, TableHistory(boto3.client("dynamodb"), settings.jobs_table)


async def run(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT; then let the streams go and give back the queue."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    feed, history = sources(options.feed)
    relay = Relay(Hub(loop.time), history)

    def on_change(change: Change) -> None:
        if relay.hub.publish(change) and isinstance(history, MemoryHistory):
            history.remember(change)

    runner = web.AppRunner(relay.app(), handler_cancellation=True, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, options.host, options.port, backlog=4096, reuse_address=True)
    await feed.start(on_change)
    beating = asyncio.create_task(relay.beat())
    try:
        await site.start()
        logger.info("relay ready", extra={"port": options.port})
        await stop.wait()
        await site.stop()
        await relay.drain(options.drain_seconds)
    finally:
        beating.cancel()
        await feed.stop()
        await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(run(arguments()))
