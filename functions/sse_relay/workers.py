"""Several processes on one port, fed by one.

The kernel spreads the connections over the workers; each has a loop, a hub and a core of its own. The feed
is read once, here, and handed to each worker line by line: reading a change off the queue costs ten times
what a line costs (docs/performance.md), and a queue for each worker would be paid for by the request.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from asyncio.subprocess import PIPE, Process

from prometheus_client.multiprocess import mark_process_dead

from functions.common.observability import logger
from functions.sse_relay.change import Change, line_of
from functions.sse_relay.serve import open_feed, stop_event, tell_metrics
from functions.sse_relay.signals import Signals

MAX_UNREAD = 16 * 1024 * 1024
"""Bytes that a worker may lag behind; then it hangs, and is started anew."""
PAUSE_SECONDS = 1.0
"""Before a worker that ended is started anew."""


async def supervise(options: argparse.Namespace) -> None:
    """Keep the workers running until SIGTERM, SIGINT or the feed's end; then let them drain."""
    stop = stop_event()
    feed = open_feed(options.feed)
    with tempfile.TemporaryDirectory(prefix="relay-metrics-") as counters:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = counters
        workers = [Worker(_command(options), stop) for _ in range(options.workers)]

        def on_changes(changes: list[Change]) -> None:
            lines = b"".join(line_of(change) + b"\n" for change in changes)
            for worker in workers:
                worker.send(lines)

        await feed.start(on_changes, stop.set)
        tasks = [asyncio.create_task(worker.keep_running()) for worker in workers]
        telling = asyncio.create_task(tell_metrics(Signals())) if options.embedded_metrics else None
        await stop.wait()
        await asyncio.gather(*tasks)
        await feed.stop()
        if telling is not None:
            telling.cancel()


class Worker:
    """A process that serves, started anew whenever it ends before `stop`."""

    def __init__(self, command: list[str], stop: asyncio.Event) -> None:
        self._command = command
        self._stop = stop
        self._process: Process | None = None

    def send(self, lines: bytes) -> None:
        """Hand lines to it; while it starts anew they are lost on it, and its clients are away."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.write(lines)
        if self._process.stdin.transport.get_write_buffer_size() > MAX_UNREAD:
            logger.error("worker hangs", extra={"worker": self._process.pid})
            self._process.kill()

    async def keep_running(self) -> None:
        """Until `stop` is set and the worker has drained."""
        while not self._stop.is_set():
            process = self._process = await asyncio.create_subprocess_exec(*self._command, stdin=PIPE)
            ended, stopped = asyncio.create_task(process.wait()), asyncio.create_task(self._stop.wait())
            await asyncio.wait((ended, stopped), return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if self._stop.is_set() and not ended.done():
                process.terminate()
            status = await ended
            self._process = None
            mark_process_dead(process.pid)  # type: ignore[no-untyped-call]
            if not self._stop.is_set():
                logger.error("worker ended", extra={"worker": process.pid, "status": status})
                await asyncio.sleep(PAUSE_SECONDS)


def _command(options: argparse.Namespace) -> list[str]:
    return [
        sys.executable, "-m", "functions.sse_relay", "--feed", "stdin", "--history", options.history,
        "--host", options.host, "--port", str(options.port), "--shared-port",
        "--drain-seconds", str(options.drain_seconds), "--max-streams", str(options.max_streams),
        "--max-per-address", str(options.max_per_address), "--trusted-proxies", str(options.trusted_proxies),
    ]  # fmt: skip
