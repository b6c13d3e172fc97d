"""An API for clients, in process: it answers from a script, and records the requests."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx

JOB_ID = "123e4567-e89b-42d3-a456-426614174000"
Answer = httpx.Response | Exception
Handler = Callable[[httpx.Request], Answer]


def job(version: int = 1, status: str = "pending", job_id: str = JOB_ID, **fields: Any) -> dict[str, Any]:
    """Return a job as the contract defines it."""
    defaults: dict[str, Any] = {
        "id": job_id, "kind": "countdown", "status": status, "input": {"seconds": 1}, "output": None,
        "progress": None, "error": None, "starts_at": None, "deferred_until": None,
        "created_at": 1_800_000_000_000, "updated_at": 1_800_000_000_000 + version, "version": version,
    }  # fmt: skip
    return {**defaults, **fields}


class Script(httpx.AsyncBaseTransport):
    """Answers each call with the next of its answers, and repeats the last one.

    The calls are named like GET_live, POST_jobs and GET_jobs_id.
    """

    def __init__(self, **answers: list[Any]) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = {name: list(values) for name, values in answers.items()}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        call = f"{request.method}{request.url.path.removeprefix('/api')}".replace(JOB_ID, "id").replace(
            "/", "_"
        )
        answers = self._answers[call]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        response: httpx.Response = answer() if callable(answer) else answer
        return response

    def keys(self) -> list[str | None]:
        return [request.headers.get("Idempotency-Key") for request in self.requests]


class _Stream(httpx.AsyncByteStream):
    def __init__(self, parts: list[str | Exception]) -> None:
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            if isinstance(part, Exception):
                raise part
            yield part.encode()


def stream(*parts: str | Exception) -> Callable[[], httpx.Response]:
    """Return an answer with a stream of these parts; an exception cuts it."""
    headers = {"Content-Type": "text/event-stream"}
    return lambda: httpx.Response(200, headers=headers, stream=_Stream(list(parts)))


def event(data: Any, name: str | None = None, event_id: str = "1.r.1") -> str:
    head = f"event: {name}\n" if name else ""
    return f"id: {event_id}\n{head}data: {json.dumps(data)}\n\n"


def answer(body: Any, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(
        status, json=body, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
