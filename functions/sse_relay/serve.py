"""One relay process, from its start to its orderly end."""

import argparse
import asyncio
import gc
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

import boto3

from functions.common.clock import now_ms
from functions.common.observability import logger
from functions.common.settings import load
from functions.sse_relay.change import Change
from functions.sse_relay.ecs_task import relay_name, set_when_stopping
from functions.sse_relay.feed import Feed, LineFeed, SqsFeed
from functions.sse_relay.history import History, MemoryHistory, TableHistory
from functions.sse_relay.hub import Hub
from functions.sse_relay.server import SPARE_CONNECTIONS, Limits, Relay
from functions.sse_relay.signals import EmbeddedMetrics, Signals

GARBAGE_THRESHOLD = 20_000
"""New objects after which the collector looks at them."""
OTHER_FILES = 100
METRICS_SECONDS = 60


@dataclass(frozen=True)
class FeedSettings:
    """From the environment."""

    topic_arn: str
    queue_prefix: str


@dataclass(frozen=True)
class HistorySettings:
    """From the environment."""

    jobs_table: str


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM, SIGINT, the feed's end or ECS's wish to stop the task; then end the streams one by
    one, delete the queue and return. What asks to stop while the streams end changes nothing.
    """
    _allow_files(options.max_streams + SPARE_CONNECTIONS + OTHER_FILES)
    stop = _stop_event()
    hub, signals = Hub(asyncio.get_running_loop().time), Signals()
    feed, history = _open_feed(options.feed), _open_history(options.history, hub, signals)
    limits = Limits(
        max_streams=options.max_streams,
        max_per_address=options.max_per_address,
        trusted_proxies=options.trusted_proxies,
        address_header=options.address_header.lower(),
    )
    relay = Relay(hub, history, signals, limits)

    def on_changes(changes: list[Change]) -> None:
        news = relay.publish(changes)
        if isinstance(history, MemoryHistory):
            history.remember(news)

    # what is there now stays, and so does a stream; scanning thousands of them for garbage would be felt
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    await feed.start(on_changes, stop.set)
    relay.healthy_in(feed.settle_seconds)
    tasks = [asyncio.create_task(relay.beat()), asyncio.create_task(set_when_stopping(stop, os.environ))]
    if options.embedded_metrics:
        tasks.append(asyncio.create_task(write_metrics(signals)))
    try:
        port = relay.listen(options.host, options.port)
        logger.info("relay ready", extra={"port": port})
        await stop.wait()
        await relay.drain(options.drain_seconds)
    finally:
        for task in tasks:
            task.cancel()
        await feed.stop()
        relay.close()


def _open_feed(kind: str) -> Feed:
    """The feed of that name."""
    if kind == "stdin":
        return LineFeed()
    settings = load(FeedSettings, os.environ)
    queue = settings.queue_prefix + relay_name(os.environ)
    return SqsFeed(boto3.client("sqs"), boto3.client("sns"), settings.topic_arn, queue)


def _open_history(kind: str, hub: Hub, signals: Signals) -> History:
    if kind == "memory":
        return MemoryHistory(hub)
    table = load(HistorySettings, os.environ).jobs_table
    return TableHistory(boto3.client("dynamodb"), table, hub, on_read=signals.history_reads.inc)


def _stop_event() -> asyncio.Event:
    """Set by SIGTERM and SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def write_metrics(signals: Signals, write: Callable[[str], object] = sys.stdout.write) -> None:
    """Write a line for CloudWatch every minute, for ever."""
    metrics = EmbeddedMetrics(os.environ.get("POWERTOOLS_SERVICE_NAME", "sse_relay"), signals)
    while True:
        await asyncio.sleep(METRICS_SECONDS)
        write(metrics.line(now_ms()) + "\n")
        sys.stdout.flush()


def _allow_files(count: int) -> None:
    """Let this process open so many files. Raises SystemExit if the machine does not allow it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard not in (resource.RLIM_INFINITY,) and hard < count:
        raise SystemExit(
            f"{count} open files are needed, {hard} allowed: raise ulimit -n or lower --max-streams"
        )
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
