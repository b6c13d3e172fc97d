"""Clients of a relay: an independent SSE library, and a plain connection."""

import asyncio
import json

import httpx
from httpx_sse import ServerSentEvent, aconnect_sse

from tests.relay.conftest import RunningRelay


async def read(
    relay: RunningRelay, count: int, headers: dict[str, str] | None = None, **query: str
) -> list[ServerSentEvent]:
    """Return the first `count` events of a stream."""
    events: list[ServerSentEvent] = []
    async with (
        httpx.AsyncClient() as client,
        aconnect_sse(client, "GET", f"{relay.url}/live", params=query, headers=headers or {}) as source,
    ):
        async for event in source.aiter_sse():
            if event.data:
                events.append(event)
            if len(events) == count:
                break
    return events


def versions(events: list[ServerSentEvent]) -> list[tuple[str, int]]:
    jobs = [json.loads(event.data) for event in events]
    return [(job["id"], job["version"]) for job in jobs]


async def send_raw(relay: RunningRelay, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    writer.write(request)
    return reader, writer
