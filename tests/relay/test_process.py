"""The relay as a process, alone and with workers: from its start to its orderly end."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from functions.sse_relay.change import line_of
from tests.relay.conftest import change
from tests.relay.process import read_until, relay_process, wait_for

CLIENTS = 12


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("workers", [1, 2])
def test_every_client_sees_every_event_and_is_let_go_in_order(workers: int) -> None:
    with relay_process("--workers", str(workers)) as relay:
        clients = [relay.connect() for _ in range(CLIENTS)]
        for number in range(1, 4):
            relay.publish(change(number))
            for client in clients:
                assert line_of(change(number)) in read_until(client, b"}\n\n")
        # the workers tell once a second
        wait_for(lambda: relay.metrics()["relay_events_in_total"] == 3 * workers)
        newcomer = relay.connect(f"?job={change(2).job_id}")
        assert line_of(change(2)) in read_until(newcomer, b"}\n\n")
        newcomer.close()
        assert relay.metrics()["relay_events_out_total"] == 3 * CLIENTS
        wait_for(lambda: relay.metrics()["relay_streams"] == CLIENTS)
        lines = relay.end()
        for client in clients:
            assert client.makefile("rb").read().strip(b":\n") == b""  # but for heartbeats
    assert sum(line["streams"] for line in lines if line["message"] == "draining") == CLIENTS


def test_a_worker_that_dies_is_started_anew_and_the_others_go_on() -> None:
    with relay_process("--workers", "2") as relay:
        clients = [relay.connect() for _ in range(CLIENTS)]
        first, _ = children(relay.child.pid)
        os.kill(first, signal.SIGKILL)
        alive = []
        relay.publish(change(1))
        for client in clients:
            with contextlib.suppress(AssertionError, ConnectionResetError):
                read_until(client, b"}\n\n")
                alive.append(client)
        wait_for(lambda: first not in (now := children(relay.child.pid)) and len(now) == 2)
        fresh = [relay.connect() for _ in range(CLIENTS)]
        relay.publish(change(2))
        for client in [*alive, *fresh]:
            assert line_of(change(2)) in read_until(client, b"}\n\n")
        wait_for(lambda: relay.metrics()["relay_streams"] == len(alive) + len(fresh))
        assert "worker ended" in {line["message"] for line in relay.end()}


def test_the_end_of_its_feed_ends_the_relay() -> None:
    with relay_process() as relay:
        relay.connect()
        assert relay.child.stdin is not None
        relay.child.stdin.close()
        assert relay.child.wait(60) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--workers", "0"], "--workers must be at least 1"),
        (["--max-streams", "100000000"], "raise ulimit -n or lower --max-streams"),
        (["--feed", "sqs"], "TOPIC_ARN"),
    ],
)
def test_what_cannot_be_served_is_said(options: list[str], said: str) -> None:
    command = [sys.executable, "-m", "functions.sse_relay", "--feed", "stdin", *options]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.PIPE, timeout=30)
    assert done.returncode != 0
    assert said in done.stderr
