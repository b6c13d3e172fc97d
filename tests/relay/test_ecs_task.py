"""What ECS says about the relay's task."""

import asyncio
import socket

import pytest

from functions.sse_relay.ecs_task import relay_name, set_when_stopping
from tests.relay.conftest import run, until
from tests.relay.metadata import Metadata


def test_a_relay_is_called_as_it_is_told_or_like_its_task_or_its_host() -> None:
    assert relay_name({"RELAY_NAME": "one"}) == "one"
    assert relay_name({}) == socket.gethostname()
    with Metadata() as metadata:
        assert relay_name(metadata.environment) == "0123abcd"


@pytest.mark.parametrize("failure", ["broken", "cut"])
def test_the_wish_to_stop_is_noticed_when_it_comes_and_an_endpoint_that_fails_is_asked_again(
    failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        stop = asyncio.Event()
        with Metadata() as metadata:
            watching = asyncio.create_task(set_when_stopping(stop, metadata.environment, poll_seconds=0.005))
            await until(lambda: metadata.asked > 1)
            setattr(metadata, failure, True)
            metadata.task["DesiredStatus"] = "STOPPED"
            seen = metadata.asked
            await until(lambda: metadata.asked > seen + 3 or watching.done())
            assert not watching.done()
            assert not stop.is_set()
            setattr(metadata, failure, False)
            await watching
        assert stop.is_set()

    run(test())
    assert [one.message for one in caplog.records].count("task metadata not read") == 1


@pytest.mark.parametrize("task", [[], "RUNNING", None])
def test_an_answer_of_another_form_is_no_wish_to_stop(task: object) -> None:
    async def test() -> None:
        stop = asyncio.Event()
        with Metadata() as metadata:
            metadata.task = task  # type: ignore[assignment]
            watching = asyncio.create_task(set_when_stopping(stop, metadata.environment, poll_seconds=0.005))
            await until(lambda: metadata.asked > 2)
            assert not stop.is_set()
            stop.set()
            await watching

    run(test())


def test_without_ecs_nothing_is_asked() -> None:
    async def test() -> None:
        stop = asyncio.Event()
        await set_when_stopping(stop, {})
        assert not stop.is_set()

    run(test())
