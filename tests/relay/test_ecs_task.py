"""The relay's name and the state of its ECS task."""

import asyncio
import socket

import pytest

from functions.sse_relay.ecs_task import relay_name, set_when_stopping
from tests.relay.conftest import run, until
from tests.relay.metadata import Metadata


def test_the_name_is_the_configured_one_or_the_tasks_or_the_hosts() -> None:
    assert relay_name({"RELAY_NAME": "one"}) == "one"
    assert relay_name({}) == socket.gethostname()
    with Metadata() as metadata:
        assert relay_name(metadata.environment) == "0123abcd"


@pytest.mark.parametrize("failure", ["broken", "truncated"])
def test_a_stop_request_is_noticed_and_a_failing_endpoint_is_asked_again(
    failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        stop = asyncio.Event()
        with Metadata() as metadata:
            watching = asyncio.create_task(set_when_stopping(stop, metadata.environment, poll_seconds=0.005))
            await until(lambda: metadata.requests > 1)
            setattr(metadata, failure, True)
            metadata.task["DesiredStatus"] = "STOPPED"
            requests = metadata.requests
            await until(lambda: metadata.requests > requests + 3 or watching.done())
            assert not watching.done()
            assert not stop.is_set()
            setattr(metadata, failure, False)
            await watching
        assert stop.is_set()

    run(test())
    assert [record.message for record in caplog.records].count("task metadata not read") == 1


@pytest.mark.parametrize("task", [[], "RUNNING", None])
def test_a_response_of_another_form_does_not_stop_the_relay(task: object) -> None:
    async def test() -> None:
        stop = asyncio.Event()
        with Metadata() as metadata:
            metadata.task = task  # type: ignore[assignment]
            watching = asyncio.create_task(set_when_stopping(stop, metadata.environment, poll_seconds=0.005))
            await until(lambda: metadata.requests > 2)
            assert not stop.is_set()
            stop.set()
            await watching

    run(test())


def test_outside_ecs_no_request_is_made() -> None:
    async def test() -> None:
        stop = asyncio.Event()
        await set_when_stopping(stop, {})
        assert not stop.is_set()

    run(test())
