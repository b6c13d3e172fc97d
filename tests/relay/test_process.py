"""The relay as a process, alone and with workers: from its start to its orderly end."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from functions.sse_relay.change import Change, line_of
from local.processes import answers, free_ports
from tests.relay.conftest import change

CLIENTS = 12


class RelayProcess:
    """`python -m functions.sse_relay --feed stdin`, and its clients."""

    def __init__(self, *options: str) -> None:
        (self.port,) = free_ports(1)
        command = [sys.executable, "-m", "functions.sse_relay", "--feed", "stdin", "--host", "127.0.0.1"]
        self.child = subprocess.Popen(
            [*command, "--port", str(self.port), "--drain-seconds", "0.1", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.clients: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def publish(self, *changes: Change) -> None:
        assert self.child.stdin is not None
        for one in changes:
            self.child.stdin.write(line_of(one) + b"\n")
        self.child.stdin.flush()

    def connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        self.clients.append(client)
        client.sendall(b"GET /live HTTP/1.0\r\n\r\n")
        read_until(client, b"retry: ")
        return client

    def metrics(self) -> dict[str, float]:
        text = httpx.get(f"{self.url}/metrics").text
        return {
            sample.name: sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if not sample.labels
        }

    def end(self) -> list[dict[str, Any]]:
        """Stop it in order; the lines of its log."""
        self.child.send_signal(signal.SIGTERM)
        output, _ = self.child.communicate(timeout=20)
        assert self.child.returncode == 0
        return [json.loads(line) for line in output.splitlines()]


def read_until(client: socket.socket, wanted: bytes) -> bytes:
    data = b""
    while wanted not in data:
        part = client.recv(65536)
        assert part, "the stream ended"
        data += part
    return data


def wait_for(condition: Callable[[], Any], seconds: float = 20) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)
    return answer


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextlib.contextmanager
def relay_process(*options: str) -> Iterator[RelayProcess]:
    relay = RelayProcess(*options)
    try:
        wait_for(lambda: answers(f"{relay.url}/healthz"))
        yield relay
    finally:
        relay.child.kill()
        relay.child.wait()
        for one in (relay.child.stdin, relay.child.stdout, *relay.clients):
            if one is not None:
                one.close()


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["alone", "two workers"])
def test_every_client_sees_every_event_and_is_let_go_in_order(options: tuple[str, ...]) -> None:
    with relay_process(*options) as relay:
        clients = [relay.connect() for _ in range(CLIENTS)]
        for number in range(1, 4):
            relay.publish(change(number))
            for client in clients:
                assert line_of(change(number)) in read_until(client, b"}\n\n")
        # the workers tell once a second
        wait_for(lambda: relay.metrics()["relay_events_out_total"] == 3 * CLIENTS)
        assert relay.metrics()["relay_streams"] == CLIENTS
        lines = relay.end()
        for client in clients:
            assert client.recv(1) == b""
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
        assert "worker ended" in {line["message"] for line in relay.end()}


def test_the_end_of_its_feed_ends_the_relay() -> None:
    with relay_process() as relay:
        relay.connect()
        assert relay.child.stdin is not None
        relay.child.stdin.close()
        assert relay.child.wait(10) == 0


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
