"""Webhooks of the deployed system: real requests to receivers on this machine."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from tests.integration.conftest import Calo, eventually

GUIDE = Path(__file__).parents[2] / "docs" / "webhooks.md"
RECEIVER = re.compile(r"```python receiver\.py\n(.*?)```", re.DOTALL)


@dataclass
class Receiver:
    """A web server that keeps what it receives. It answers with `statuses`, and then with 204."""

    address: str
    statuses: list[int] = field(default_factory=list)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.address}/hook"

    def of(self, job_id: str) -> list[tuple[dict[str, str], bytes]]:
        return [entry for entry in list(self.received) if job_id in entry[0]["webhook-id"]]


@pytest.fixture
def addresses(calo: Calo) -> list[str]:
    hosts: str = calo.system.settings["webhook_private_hosts"]
    return hosts.split(",")


@pytest.fixture
def receiver(addresses: list[str]) -> Iterator[Receiver]:
    receiver = Receiver(addresses[0])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    host, port = receiver.address.split(":")
    with ThreadingHTTPServer((host, int(port)), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield receiver
        server.shutdown()


def secret(calo: Calo, method: str = "GET") -> str:
    return str(calo.http.request(method, "webhooks/secret").json()["secret"])


def deliveries(calo: Calo, job_id: str) -> dict[str, Any]:
    body: dict[str, Any] = calo.get(f"jobs/{job_id}/deliveries").json()
    return body


def statuses(calo: Calo, job_id: str) -> list[str]:
    return [entry["status"] for entry in deliveries(calo, job_id)["data"]]


def test_a_webhook_is_delivered_again_after_a_failure_and_on_request(calo: Calo, receiver: Receiver) -> None:
    receiver.statuses = [500]
    with calo.live() as live:
        job = live.wait_for_end(calo.create(notify=receiver.url)["id"])
    eventually(lambda: statuses(calo, job["id"]) == ["failed"])
    waiting = deliveries(calo, job["id"])
    assert waiting["host"] == receiver.address
    assert waiting["next_at"] == pytest.approx(waiting["data"][0]["at"] + 5000, abs=1000)
    eventually(lambda: statuses(calo, job["id"]) == ["failed", "delivered"])
    assert calo.http.post(f"jobs/{job['id']}/deliveries").status_code == 202
    eventually(lambda: statuses(calo, job["id"]) == ["failed", "delivered", "delivered"])
    assert [entry["answer"] for entry in deliveries(calo, job["id"])["data"]][::2] == [
        "500 Internal Server Error",
        "204 No Content",
    ]
    received = receiver.of(job["id"])
    assert len({headers["webhook-id"] for headers, _ in received}) == 1
    verify = Webhook(secret(calo)).verify
    events = [verify(body, headers) for headers, body in received]
    assert events == [{"type": "job.resolved", "timestamp": events[0]["timestamp"], "data": job}] * 3
    assert "notify" not in job


def test_every_end_is_delivered_once_and_signed_with_both_secrets_after_a_rotation(
    calo: Calo, receiver: Receiver
) -> None:
    before = secret(calo)
    after = secret(calo, "POST")
    assert after == secret(calo) != before
    job_id = calo.create(notify=receiver.url, delay_seconds=900)["id"]
    calo.http.delete(f"jobs/{job_id}")
    eventually(lambda: statuses(calo, job_id) == ["delivered"])
    calo.http.post(f"jobs/{job_id}/retry")
    eventually(lambda: statuses(calo, job_id) == ["delivered"] * 2)
    for number, (headers, body) in enumerate(receiver.of(job_id)):
        for key in (before, after):
            event = Webhook(key).verify(body, headers)
            assert event["type"] == ("job.cancelled", "job.resolved")[number]
    assert len({headers["webhook-id"] for headers, _ in receiver.of(job_id)}) == 2
    without = calo.create()["id"]
    eventually(lambda: calo.get(f"jobs/{without}").json()["status"] == "resolved")
    refused = calo.http.post(f"jobs/{without}/deliveries")
    assert (refused.status_code, deliveries(calo, without)["host"]) == (409, None)


@contextmanager
def documented_receiver(folder: Path, address: str, key: str) -> Iterator[subprocess.Popen[str]]:
    (code,) = RECEIVER.findall(GUIDE.read_text())
    path = folder / "receiver.py"
    path.write_text(code)
    command = [sys.executable, str(path), address.split(":")[1]]
    environment = {**os.environ, "SECRET": key}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def test_the_documented_receiver_accepts_what_is_signed(
    calo: Calo, addresses: list[str], tmp_path: Path
) -> None:
    with documented_receiver(tmp_path, addresses[1], secret(calo)) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("listening")
        job_id = calo.create(notify=f"http://{addresses[1]}/")["id"]
        eventually(lambda: statuses(calo, job_id) == ["delivered"])
        assert process.stdout.readline().split() == ["job.resolved", job_id]
        forged = calo.http.post(f"http://{addresses[1]}/", json={"type": "job.resolved", "data": {}})
        assert forged.status_code == 401


def test_a_private_address_is_refused(calo: Calo) -> None:
    for url in ("http://127.0.0.1:1/", "https://169.254.169.254/", "https://localhost/"):
        answer = calo.post(json.dumps({"query": "pasta", "notify": url}))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "notify")
