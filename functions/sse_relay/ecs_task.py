"""The relay's name and the state of its ECS task.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html
"""

import asyncio
import json
import socket
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

from functions.common.observability import logger

METADATA = "ECS_CONTAINER_METADATA_URI_V4"
TIMEOUT_SECONDS = 5
POLL_SECONDS = 5.0


def relay_name(environment: Mapping[str, str]) -> str:
    """Return RELAY_NAME if it is set, on ECS the task's id, elsewhere the host name. Raises OSError.

    The relay's queue has this name, so that the janitor can remove the queue of a task that has ended.
    """
    if name := environment.get("RELAY_NAME"):
        return name
    if uri := environment.get(METADATA):
        return str(_read_task(uri)["TaskARN"]).rsplit("/", 1)[-1]
    return socket.gethostname()


async def set_when_stopping(
    stop: asyncio.Event, environment: Mapping[str, str], poll_seconds: float = POLL_SECONDS
) -> None:
    """Set `stop` when ECS wants the task to stop. Returns then, and immediately outside ECS.

    SIGTERM would be too late: ECS sends it after the load balancer's deregistration delay, and when that
    ends, the load balancer closes the open connections.
    """
    uri = environment.get(METADATA)
    if uri is None:
        return
    is_failing = False
    while not stop.is_set():
        try:
            if (await asyncio.to_thread(_read_task, uri)).get("DesiredStatus") == "STOPPED":
                logger.info("task stop requested")
                stop.set()
                return
            is_failing = False
        except (OSError, ValueError, HTTPException) as error:
            if not is_failing:
                logger.warning("task metadata not read", extra={"reason": repr(error)})
            is_failing = True
        await asyncio.sleep(poll_seconds)


def _read_task(uri: str) -> dict[str, Any]:
    """Raises OSError, HTTPException if the response is truncated, ValueError if it is not a JSON object."""
    with urllib.request.urlopen(f"{uri}/task", timeout=TIMEOUT_SECONDS) as response:  # noqa: S310  # set by ECS
        task = json.load(response)
    if not isinstance(task, dict):
        raise ValueError("the task metadata is not an object")
    return task
