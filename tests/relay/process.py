"""A relay as a separate process that reads changes from its standard input."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from functions.sse_relay.job_change import JobChange
from local.processes import answers, free_ports


class RelayProcess:
    """`python -m functions.sse_relay --feed stdin`, and its clients."""

    def __init__(
        self, *options: str, port: int | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self.port = port or free_ports(1)[0]
        command = [sys.executable, "-m", "functions.sse_relay", "--feed", "stdin", "--host", "127.0.0.1"]
        self.child = subprocess.Popen(
            [*command, "--port", str(self.port), "--drain-seconds", "0.1", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )
        self.clients: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def publish(self, *changes: JobChange) -> None:
        assert self.child.stdin is not None
        for change in changes:
            self.child.stdin.write(change.to_line() + b"\n")
        self.child.stdin.flush()

    def publish_line(self, **fields: Any) -> None:
        """Publish a change as another program would write it."""
        assert self.child.stdin is not None
        self.child.stdin.write(json.dumps(fields).encode() + b"\n")
        self.child.stdin.flush()

    def connect(self, query: str = "", token: str | None = None) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.clients.append(client)
        header = "" if token is None else f"Authorization: Bearer {token}\r\n"
        client.sendall(f"GET /live{query} HTTP/1.0\r\n{header}\r\n".encode())
        data = b""
        while b"\nretry: " not in data or not data.endswith(b"\n"):  # and no byte after it
            byte = client.recv(1)
            assert byte, "the stream ended"
            data += byte
        return client

    def metrics(self) -> dict[str, float]:
        text = httpx.get(f"{self.url}/metrics", timeout=60).text
        return {
            sample.name: sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if not sample.labels
        }

    def end(self) -> list[dict[str, Any]]:
        """Stop it with SIGTERM. Returns the lines of its log."""
        self.child.send_signal(signal.SIGTERM)
        output, _ = self.child.communicate(timeout=60)
        assert self.child.returncode == 0
        return [json.loads(line) for line in output.splitlines()]


def read_until(client: socket.socket, wanted: bytes) -> bytes:
    data = b""
    while wanted not in data:
        received = client.recv(65536)
        assert received, "the stream ended"
        data += received
    return data


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "the condition did not become true in time"
        time.sleep(0.02)
    return answer


@contextlib.contextmanager
def relay_process(
    *options: str, port: int | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[RelayProcess]:
    relay = RelayProcess(*options, port=port, environment=environment)
    try:
        wait_for(lambda: answers(f"{relay.url}/healthz"))
        yield relay
    finally:
        relay.child.kill()
        relay.child.wait()
        for file in (relay.child.stdin, relay.child.stdout, *relay.clients):
            if file is not None:
                file.close()
