"""A stand-in for the task metadata endpoint of ECS."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Any

from functions.sse_relay.ecs_task import METADATA


class Metadata:
    """Responds with `task` and counts the `requests`.

    While `broken` it responds with 500; while `truncated` it closes the connection too early.
    """

    def __init__(self) -> None:
        self.task: dict[str, Any] = {
            "TaskARN": "arn:aws:ecs:us-east-1:1:task/Cluster/0123abcd",
            "DesiredStatus": "RUNNING",
            "KnownStatus": "RUNNING",
        }
        self.requests = 0
        self.broken = False
        self.truncated = False
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                is_good = self.path == "/v4/x/task" and not owner.broken
                body = json.dumps(owner.task).encode()
                self.send_response(200 if is_good else 500)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if owner.truncated else body)
                owner.requests += 1

            def log_message(self, *_: object) -> None:
                """Do not log."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.environment = {METADATA: f"http://127.0.0.1:{self._server.server_port}/v4/x"}

    def __enter__(self) -> "Metadata":
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
