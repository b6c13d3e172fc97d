"""The relay as a separate process, from its start to its end."""

import json
import subprocess
import sys

import httpx
import pytest

from functions.common.identity import owner_of
from tests.issuer import AUDIENCE, Issuer
from tests.relay.conftest import change
from tests.relay.metadata import Metadata
from tests.relay.process import read_until, relay_process, wait_for

CLIENTS = 12


def test_every_client_gets_every_event_and_a_proper_end() -> None:
    with relay_process() as relay:
        clients = [relay.connect() for _ in range(CLIENTS)]
        for number in range(1, 4):
            relay.publish(change(number))
            for client in clients:
                assert change(number).to_line() in read_until(client, b"}\n\n")
        wait_for(lambda: relay.metrics()["relay_events_in_total"] == 3)
        newcomer = relay.connect(f"?job={change(2).job_id}")
        assert change(2).to_line() in read_until(newcomer, b"}\n\n")
        newcomer.close()
        wait_for(lambda: relay.metrics()["relay_events_out_total"] == 3 * CLIENTS)
        wait_for(lambda: relay.metrics()["relay_streams"] == CLIENTS)
        lines = relay.end()
        for client in clients:
            assert client.makefile("rb").read().strip(b":\n") == b""  # apart from heartbeats
    assert [line["streams"] for line in lines if line["message"] == "drain started"] == [CLIENTS]


def test_the_relay_drains_and_exits_when_ecs_stops_its_task() -> None:
    """Before SIGTERM, which ECS sends when the load balancer has already closed the connections."""
    with Metadata() as metadata, relay_process(environment=metadata.environment) as relay:
        clients = [relay.connect() for _ in range(CLIENTS)]
        wait_for(lambda: metadata.requests > 0)
        relay.publish(change(1))
        for client in clients:
            read_until(client, b"}\n\n")
        metadata.task["DesiredStatus"] = "STOPPED"
        for client in clients:
            assert client.makefile("rb").read().strip(b":\n") == b""
        assert relay.child.wait(60) == 0
        assert relay.child.stdout is not None
        messages = [json.loads(line)["message"] for line in relay.child.stdout]
    assert "task stop requested" in messages
    assert "drain started" in messages


def test_with_an_issuer_in_its_environment_callers_must_sign_in() -> None:
    """Lines without an owner are public: only operators see them."""
    with Issuer().serve() as issuer:
        environment = {"OIDC_ISSUER": issuer.url, "OIDC_AUDIENCE": AUDIENCE}
        with relay_process(environment=environment) as relay:
            wait_for(lambda: f"{issuer.url}/keys" in issuer.fetched)
            assert httpx.get(f"{relay.url}/live", timeout=60).status_code == 401
            ann, olga = relay.connect(token=issuer.token("ann")), relay.connect(token=issuer.operator_token())
            wait_for(lambda: relay.metrics()["relay_streams"] == 2)
            relay.publish_line(id="1", version=1, updated_at=1)
            relay.publish_line(id="2", version=1, updated_at=1, owner=owner_of(issuer.url, "bob"))
            of_bob, of_ann = (
                b'data: {"id":"%d","version":1,"updated_at":1}\n\n' % number for number in (2, 3)
            )
            seen = read_until(
                olga, of_bob
            )  # changes that arrive together are sent in the order of their owners
            relay.publish_line(id="3", version=1, updated_at=1, owner=owner_of(issuer.url, "ann"))
            assert read_until(ann, of_ann).count(b"data: ") == 1
            assert (seen + read_until(olga, of_ann)).count(b"data: ") == 3
            log = json.dumps(relay.end())
    assert "eyJ" not in log


def test_the_relay_exits_at_the_end_of_its_feed() -> None:
    with relay_process() as relay:
        relay.connect()
        assert relay.child.stdin is not None
        relay.child.stdin.close()
        assert relay.child.wait(60) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--trusted-proxies", "2", "--address-header", "X-Real-Ip"], "not allowed with argument"),
        (["--max-streams", "100000000"], "raise ulimit -n or lower --max-streams"),
        (["--feed", "sqs"], "TOPIC_ARN"),
    ],
)
def test_impossible_options_are_refused_with_a_message(options: list[str], message: str) -> None:
    command = [sys.executable, "-m", "functions.sse_relay", "--feed", "stdin", *options]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.PIPE, timeout=30)
    assert done.returncode != 0
    assert message in done.stderr
