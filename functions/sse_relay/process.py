"""A relay process, from its start to the end of its last stream."""

import argparse
import asyncio
import gc
import os
import resource
import secrets
import signal
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from functions.common.observability import logger
from functions.common.settings import load
from functions.common.store import JobStore
from functions.sse_relay.admission import SPARE_CONNECTIONS, Admission, Limits
from functions.sse_relay.ecs_task import relay_name, set_when_stopping
from functions.sse_relay.embedded_metrics import EmbeddedMetricsSettings, write_embedded_metrics
from functions.sse_relay.feed import Feed, LineFeed, OnChanges, SqsFeed
from functions.sse_relay.history import History
from functions.sse_relay.history.memory import MemoryHistory
from functions.sse_relay.history.table import TableHistory
from functions.sse_relay.hub import Hub
from functions.sse_relay.job_change import JobChange
from functions.sse_relay.metrics import RelayMetrics
from functions.sse_relay.relay import Relay

if TYPE_CHECKING:
    from functions.sse_relay.sign_in import SignIn

SERVICE = "sse_relay"
"""In the log lines, also where POWERTOOLS_SERVICE_NAME is not set."""
GARBAGE_THRESHOLD = 20_000
"""New objects after which the garbage collector runs."""
OTHER_FILES = 100


@dataclass(frozen=True)
class FeedSettings:
    """From the environment."""

    topic_arn: str
    queue_prefix: str


@dataclass(frozen=True)
class HistorySettings:
    """From the environment."""

    jobs_table: str


async def run_relay(options: argparse.Namespace) -> None:
    """Run until SIGTERM, SIGINT, the end of the feed, or until ECS wants the task to stop.

    Then end the streams one by one, delete the queue and return. Further signals do not interrupt that. If
    background work fails, do the same and exit with status 1.
    """
    logger.append_keys(service=SERVICE)
    _allow_open_files(options.max_streams + SPARE_CONNECTIONS + OTHER_FILES)
    stop = _stop_event()
    metrics = RelayMetrics()
    hub = Hub(asyncio.get_running_loop().time, secrets.token_hex(4))
    feed, history = _open_feed(options.feed, metrics), _open_history(options.history, hub, metrics)
    admission = Admission(_limits(options))
    sign_in = _open_sign_in()
    relay = Relay(hub, history, metrics, admission, is_feed_alive=feed.is_alive, sign_in=sign_in)
    _tune_garbage_collector()
    await feed.start(_publisher(relay, history), stop.set)
    relay.set_healthy_in(feed.settle_seconds)
    failures: list[BaseException] = []
    tasks = [_supervise(work, stop, failures) for work in _background(options, relay, metrics, sign_in, stop)]
    try:
        port = relay.listen(options.host, options.port)
        logger.info("relay started", extra={"port": port})
        await stop.wait()
        await relay.drain(options.drain_seconds)
    finally:
        for task in tasks:
            task.cancel()
        await feed.stop()
        relay.close()
    if failures:
        raise SystemExit(1)


def _supervise(
    work: Coroutine[None, None, None], stop: asyncio.Event, failures: list[BaseException]
) -> "asyncio.Task[None]":
    """Run background work. If it fails, log that, and stop the process instead of running without it."""

    def on_done(task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()):
            logger.error("background work failed", exc_info=error)
            failures.append(error)
            stop.set()

    task = asyncio.create_task(work)
    task.add_done_callback(on_done)
    return task


def _limits(options: argparse.Namespace) -> Limits:
    return Limits(
        max_streams=options.max_streams,
        max_per_address=options.max_per_address,
        trusted_proxies=options.trusted_proxies,
        address_header=options.address_header.lower(),
    )


def _publisher(relay: Relay, history: History) -> OnChanges:
    """Return what the feed calls with changes."""
    if not isinstance(history, MemoryHistory):
        return relay.publish

    def publish_and_remember(changes: list[JobChange]) -> None:
        history.remember(relay.publish(changes))

    return publish_and_remember


def _background(
    options: argparse.Namespace,
    relay: Relay,
    metrics: RelayMetrics,
    sign_in: "SignIn | None",
    stop: asyncio.Event,
) -> list[Coroutine[None, None, None]]:
    """Return what runs beside the streams."""
    work = [relay.run_timers(), set_when_stopping(stop, os.environ)]
    if sign_in:
        work.append(sign_in.prepare())
    if options.embedded_metrics:
        work.append(write_embedded_metrics(load(EmbeddedMetricsSettings, os.environ), metrics))
    return work


def _open_feed(kind: str, metrics: RelayMetrics) -> Feed:
    if kind == "stdin":
        return LineFeed(metrics.report_damaged)
    settings = load(FeedSettings, os.environ)
    queue = settings.queue_prefix + relay_name(os.environ)
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    return SqsFeed(sqs, sns, settings.topic_arn, queue, on_damaged=metrics.report_damaged)


def _open_history(kind: str, hub: Hub, metrics: RelayMetrics) -> History:
    if kind == "memory":
        return MemoryHistory(hub)
    table = load(HistorySettings, os.environ).jobs_table
    store = JobStore(boto3.client("dynamodb"), table, on_damaged=metrics.report_damaged)
    return TableHistory(store, hub, on_read=metrics.history_reads.inc)


def _open_sign_in() -> "SignIn | None":
    """Return what verifies callers, or None if the environment names no issuer."""
    if not os.environ.get("OIDC_ISSUER"):
        return None
    # the packages that verify tokens take memory
    from functions.sse_relay.sign_in import open_sign_in

    return open_sign_in(os.environ)


def _stop_event() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _tune_garbage_collector() -> None:
    """Exempt existing objects and collect rarely: scanning thousands of streams would delay events."""
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)


def _allow_open_files(count: int) -> None:
    """Raise the limit of open files to `count`. Raises SystemExit if the machine does not allow it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard not in (resource.RLIM_INFINITY,) and hard < count:
        raise SystemExit(
            f"{count} open files are needed, {hard} allowed: raise ulimit -n or lower --max-streams"
        )
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
