"""What a relay is called: its queue bears the name, so that whoever outlives it can remove the queue."""

import json
import socket
import urllib.request
from collections.abc import Mapping

METADATA = "ECS_CONTAINER_METADATA_URI_V4"
SECONDS = 5


def relay_name(environment: Mapping[str, str]) -> str:
    """RELAY_NAME if it is set; on ECS the task's id; the host's name elsewhere. Raises OSError.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html
    """
    if name := environment.get("RELAY_NAME"):
        return name
    if uri := environment.get(METADATA):
        with urllib.request.urlopen(f"{uri}/task", timeout=SECONDS) as answer:  # noqa: S310  # ECS sets it
            return str(json.load(answer)["TaskARN"]).rsplit("/", 1)[-1]
    return socket.gethostname()
