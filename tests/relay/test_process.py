"""The relay as a process: from its start to its orderly end."""

import json
import subprocess
import sys

import pytest

from functions.sse_relay.change import line_of
from tests.relay.conftest import change
from tests.relay.metadata import Metadata
from tests.relay.process import read_until, relay_process, wait_for

CLIENTS = 12


def test_every_client_sees_every_event_and_is_let_go_in_order() -> None:
    with relay_process() as relay:
        clients = [relay.connect() for _ in range(CLIENTS)]
        for number in range(1, 4):
            relay.publish(change(number))
            for client in clients:
                assert line_of(change(number)) in read_until(client, b"}\n\n")
        wait_for(lambda: relay.metrics()["relay_events_in_total"] == 3)
        newcomer = relay.connect(f"?job={change(2).job_id}")
        assert line_of(change(2)) in read_until(newcomer, b"}\n\n")
        newcomer.close()
        wait_for(lambda: relay.metrics()["relay_events_out_total"] == 3 * CLIENTS)
        wait_for(lambda: relay.metrics()["relay_streams"] == CLIENTS)
        lines = relay.end()
        for client in clients:
            assert client.makefile("rb").read().strip(b":\n") == b""  # but for heartbeats
    assert [line["streams"] for line in lines if line["message"] == "draining"] == [CLIENTS]


def test_the_relay_drains_and_ends_when_ecs_wants_its_task_to_stop() -> None:
    """Long before SIGTERM, which comes when the load balancer has already broken the connections."""
    with Metadata() as metadata, relay_process(environment=metadata.environment) as relay:
        clients = [relay.connect() for _ in range(CLIENTS)]
        wait_for(lambda: metadata.asked > 0)
        relay.publish(change(1))
        for client in clients:
            read_until(client, b"}\n\n")
        metadata.task["DesiredStatus"] = "STOPPED"
        for client in clients:
            assert client.makefile("rb").read().strip(b":\n") == b""
        assert relay.child.wait(60) == 0
        assert relay.child.stdout is not None
        messages = [json.loads(line)["message"] for line in relay.child.stdout]
    assert "task is to stop" in messages
    assert "draining" in messages


def test_the_end_of_its_feed_ends_the_relay() -> None:
    with relay_process() as relay:
        relay.connect()
        assert relay.child.stdin is not None
        relay.child.stdin.close()
        assert relay.child.wait(60) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--trusted-proxies", "2", "--address-header", "X-Real-Ip"], "not allowed with argument"),
        (["--max-streams", "100000000"], "raise ulimit -n or lower --max-streams"),
        (["--feed", "sqs"], "TOPIC_ARN"),
    ],
)
def test_what_cannot_be_served_is_said(options: list[str], said: str) -> None:
    command = [sys.executable, "-m", "functions.sse_relay", "--feed", "stdin", *options]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.PIPE, timeout=30)
    assert done.returncode != 0
    assert said in done.stderr
