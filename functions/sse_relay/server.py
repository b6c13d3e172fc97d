"""The relay's HTTP side: `GET /live` and `GET /healthz`."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from aiohttp import web

from functions.common.clock import now_ms
from functions.common.job import to_json
from functions.common.observability import logger
from functions.sse_relay.change import Change, resync, retry
from functions.sse_relay.history import History
from functions.sse_relay.hub import MEMORY_SECONDS, Hub, Stream

LIFETIME_SECONDS = 14 * 60
"""API Gateway cuts a stream at 15 minutes."""
SILENCE_SECONDS = 15.0
MAX_NAMED = 100
RETRY_MS = (1000, 4000)
BAD_CURSOR = -1

HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
    "Access-Control-Allow-Origin": "*",
}


@dataclass
class Relay:
    """The relay's parts. `seconds` is a monotonic clock, as the event loop's; times inside are its own."""

    hub: Hub
    history: History
    uniform: Callable[[float, float], float] = random.uniform
    lifetime: float = LIFETIME_SECONDS
    silence: float = SILENCE_SECONDS
    draining: bool = field(default=False)

    async def live(self, request: web.Request) -> web.StreamResponse:
        """Open a stream: subscribe first, read second, so that no change falls between."""
        jobs, problem = named_jobs(request)
        if problem or self.draining:
            return problem or _refusal(
                503, "the relay is being replaced; connect again", {"Retry-After": "1"}
            )
        response = web.StreamResponse(headers=HEADERS)
        transport = request.transport
        try:
            await response.prepare(request)
            await response.write(retry(round(self.uniform(*RETRY_MS))).plain)  # sends the headers along
        except ConnectionResetError:
            transport = None
        if transport is None:  # the client is gone already
            return response
        chunked = request.version >= (1, 1)
        now = asyncio.get_running_loop().time()
        stream = Stream(transport, jobs, chunked=chunked, now=now)
        self.hub.add(stream)
        try:
            await self._begin(stream, request)
            async with asyncio.timeout(self.uniform(0.9, 1.0) * self.lifetime):
                await stream.ended.wait()
        except TimeoutError:
            stream.end()
        finally:
            self.hub.remove(stream)
            # not by write_eof: the stream has been written past the response, which knows nothing of it
            transport.close()
        return response

    async def _begin(self, stream: Stream, request: web.Request) -> None:
        """Send what the client has missed, as far as that can be said."""
        cursor = parse_cursor(request)
        history: list[Change] | None = []
        if stream.jobs is not None:
            history = await self.history.current(stream.jobs)
        elif cursor is not None:
            history = None if cursor == BAD_CURSOR else await self.history.since(cursor)
        now = asyncio.get_running_loop().time()
        if history is None:
            stream.write(resync(now_ms()), now)
        stream.begin(history or [], now)
        self._tell_others(stream, history or [])

    def _tell_others(self, stream: Stream, history: list[Change]) -> None:
        """A state that one stream was shown must not be followed there by an older one that is still on
        its way here; so it goes out to all as news, and what comes late is dropped."""
        for change in history:
            if now_ms() - change.updated_at < MEMORY_SECONDS * 1000:
                self.hub.publish(change, but=stream)

    async def healthz(self, _: web.Request) -> web.Response:
        """`200` while new streams are welcome."""
        return web.Response(status=503 if self.draining else 200, text="draining" if self.draining else "ok")

    async def beat(self) -> None:
        """Keep silent streams open, for ever."""
        while True:
            await asyncio.sleep(1)
            self.hub.heartbeat(self.silence)

    async def drain(self, seconds: float) -> None:
        """Let the streams go one by one, so that their clients do not come back all at once."""
        self.draining = True
        streams = self.hub.streams
        logger.info("draining", extra={"streams": len(streams), "seconds": seconds})
        for stream in streams:
            stream.end()
            await asyncio.sleep(seconds / len(streams))

    def app(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application()
        app.router.add_get("/live", self.live, allow_head=False)
        app.router.add_get("/healthz", self.healthz)
        return app


def named_jobs(request: web.Request) -> tuple[frozenset[str] | None, web.Response | None]:
    """The ids in `job=` (repeated, or with commas between), None if there is none; or a refusal."""
    if "job" not in request.query:
        return None, None
    texts = [text for value in request.query.getall("job") for text in value.split(",") if text]
    if not 1 <= len(texts) <= MAX_NAMED:
        return None, _refusal(400, f"job: must name 1 to {MAX_NAMED} jobs", field="job")
    try:
        return frozenset(str(UUID(text)) for text in texts), None
    except ValueError:
        return None, _refusal(400, "job: must be UUIDs, with commas between", field="job")


def parse_cursor(request: web.Request) -> int | None:
    """Where to resume (epoch ms), None if the client is new, BAD_CURSOR if it cannot be read."""
    text = request.headers.get("Last-Event-ID") or request.query.get("lastEventId")
    if not text:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else BAD_CURSOR


def _refusal(
    status: int, detail: str, headers: dict[str, str] | None = None, field: str | None = None
) -> web.Response:
    body = {
        "type": "about:blank",
        "title": {400: "Bad Request", 503: "Service Unavailable"}[status],
        "status": status,
        "detail": detail,
        "errors": [{"field": field, "message": detail}] if field else [],
    }
    return web.Response(
        status=status,
        content_type="application/problem+json",
        text=to_json(body),
        headers={"Access-Control-Allow-Origin": "*", **(headers or {})},
    )
