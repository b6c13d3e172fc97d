"""The relay's HTTP side: `GET /live`, `GET /healthz` and `GET /metrics`."""

import asyncio
import random
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.clock import Clock, now_ms
from functions.common.job import to_json
from functions.common.observability import logger
from functions.sse_relay.change import Change, plain, resync, retry
from functions.sse_relay.connection import KERNEL_BYTES
from functions.sse_relay.drain import end_one_by_one
from functions.sse_relay.history import History
from functions.sse_relay.hub import Hub, Past
from functions.sse_relay.poll import Poll
from functions.sse_relay.request import (
    BAD_CURSOR,
    Refused,
    Request,
    client_address,
    named_jobs,
    parse_cursor,
)
from functions.sse_relay.response import CORS, head, stream_head
from functions.sse_relay.signals import Signals
from functions.sse_relay.stream import Stream
from functions.sse_relay.visitor import Visitor
from functions.sse_relay.wheel import Wheel

RETRY_MS = (1000, 4000)
BACKLOG = 4096
ACCEPTED_AT_ONCE = 64
"""Then the streams get their turn again."""
SPARE_CONNECTIONS = 256
"""Beyond the streams: clients whose request is read or refused, health checks."""


@dataclass(frozen=True)
class Limits:
    """Times in seconds. `max_per_address` counts streams of one client address: the connection's, or with
    `trusted_proxies` n the nth from the right in X-Forwarded-For, or what `address_header` (lower case) says.
    API Gateway cuts a stream at 15 minutes."""

    max_streams: int = 10_000
    max_per_address: int = 200
    trusted_proxies: int = 0
    address_header: str = ""
    head: float = 10.0
    silence: float = 15.0
    lifetime: float = 14 * 60.0
    tick: float = 1.0


@dataclass
class Relay:
    """The relay's parts, and every connection's way through them. Used from one event loop."""

    hub: Hub
    history: History
    signals: Signals
    limits: Limits = Limits()
    uniform: Callable[[float, float], float] = random.uniform
    clock: Clock = now_ms
    draining: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self._poll = Poll()
        self._wheel: Wheel[Visitor | Stream] = Wheel(self._now(), self.limits.tick)
        self._streams: set[Stream] = set()
        self._visitors: set[Visitor] = set()
        self._visiting: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()
        self.beginning: dict[Stream, asyncio.Task[None]] = {}
        """Streams whose past is being read."""
        self._listener: socket.socket | None = None
        self._healthy_at = 0.0
        self._lags: list[int] = []
        self._told_deliveries = 0
        self._routes: dict[str, Callable[[Visitor, Request], None]] = {
            "/live": self._live,
            "/api/live": self._live,  # API Gateway sends its stage's name along to a private integration
            "/healthz": self._healthz,
            "/metrics": self._metrics,
        }

    @property
    def streams(self) -> list[Stream]:
        """Those that are open now."""
        return list(self._streams)

    @property
    def connections(self) -> int:
        """How many are open, streams and others."""
        return len(self._streams) + len(self._visitors)

    def publish(self, changes: list[Change]) -> list[Change]:
        """Send changes to whom it concerns; those that were news are returned."""
        news = self.hub.publish(changes)
        now = self.clock()
        self._lags += [now - change.updated_at for change in news]
        return news

    def listen(self, host: str, port: int) -> int:
        """Take connections. Returns the port."""
        listener = socket.create_server((host, port), backlog=BACKLOG)
        listener.setblocking(False)
        # both are passed on to the connections that come
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        self._poll.start()
        self._poll.watch(listener.fileno(), self)
        self._listener = listener
        return int(listener.getsockname()[1])

    def stop_listening(self) -> None:
        """Take no more connections; those that wait to be taken are refused."""
        if self._listener is not None:
            self._poll.forget(self._listener.fileno())
            self._listener.close()
            self._listener = None

    def close(self) -> None:
        """End all connections at once."""
        self.stop_listening()
        for connection in [*self._streams, *self._visitors]:
            connection.close()
        self._poll.stop()

    def healthy_in(self, seconds: float) -> None:
        """Fail health checks until then."""
        self._healthy_at = self._now() + seconds

    async def drain(self, seconds: float) -> None:
        """End the streams one by one over so many seconds, so that their clients reconnect one by one.

        New streams are refused from now on, and health checks fail.
        """
        self.draining = True
        streams = self.streams
        logger.info("draining", extra={"streams": len(streams), "seconds": seconds})
        await end_one_by_one(streams, seconds, self._now)

    async def beat(self) -> None:
        """Turn the wheel, for ever: heartbeats, ends of lifetimes, clients that are too slow to ask."""
        while True:
            await asyncio.sleep(self.limits.tick)
            now = self._now()
            for connection in self._wheel.turn(now):
                again = connection.due(now, self.hub.feed_written_at)
                if again is not None:
                    self._wheel.put(connection, again)
            self.look()

    def look(self) -> None:
        """Bring the signals up to date; counting while events go out would delay them."""
        lags, self._lags = self._lags, []
        for lag in lags:
            self.signals.observe_lag(max(0, lag) / 1000)
        self.signals.events_in.inc(len(lags))
        self.signals.events_out.inc(self.hub.deliveries - self._told_deliveries)
        self._told_deliveries = self.hub.deliveries
        self.signals.streams.set(len(self._streams))
        self.signals.connections.set(self.connections)
        self.signals.pending_bytes.set(sum(stream.pending_bytes for stream in self._streams))

    def on_ready(self, *, writable: bool) -> None:  # noqa: ARG002  # a listener never is
        """Connections are waiting to be taken. Called by the poll."""
        for _ in range(ACCEPTED_AT_ONCE):
            if self._listener is None:
                return
            try:
                connection, peer = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            if not self._may_visit(peer[0]):
                connection.close()
                continue
            connection.setblocking(False)
            deadline = self._now() + self.limits.head
            visitor = Visitor(connection, self._poll, self, peer[0], deadline)
            self._visitors.add(visitor)
            self._visiting[visitor.address] += 1
            self._wheel.put(visitor, deadline)

    def answer(self, visitor: Visitor, request: Request) -> None:
        """Called by a visitor with its request. Raises Refused."""
        route = self._routes.get(request.path)
        if route is None:
            raise Refused(404, "there is only /live here")
        if request.method != "GET":
            raise Refused(405, "only GET is served", headers={"Allow": "GET"})
        route(visitor, request)

    def refuse(self, visitor: Visitor, refused: Refused) -> None:
        """Called by a visitor whose request cannot be answered."""
        self.signals.refused.labels(str(refused.status)).inc()
        body = {
            "type": "about:blank",
            "title": HTTPStatus(refused.status).phrase,
            "status": refused.status,
            "detail": refused.detail,
            "errors": [{"field": refused.field, "message": refused.detail}] if refused.field else [],
        }
        headers = {"Content-Type": "application/problem+json", **CORS, **refused.headers}
        self._reply(visitor, refused.status, to_json(body).encode(), headers)

    def left(self, visitor: Visitor) -> None:
        """Called by a visitor that is gone; or that is answered by a stream."""
        self._visitors.discard(visitor)
        _take_one(self._visiting, visitor.address)

    def _reply(self, visitor: Visitor, status: int, body: bytes, headers: dict[str, str]) -> None:
        start = head(status, {**headers, "Content-Length": str(len(body))}, self.clock() // 1000)
        now = self._now()
        visitor.reply(start if visitor.wants_head else start + body, now)
        self._wheel.put(visitor, now)

    def _healthz(self, visitor: Visitor, _: Request) -> None:
        """`200` while new streams are welcome and will miss nothing."""
        status, text = (200, b"ok") if self._now() >= self._healthy_at else (503, b"starting")
        if self.draining:
            status, text = 503, b"draining"
        self._reply(visitor, status, text, {"Content-Type": "text/plain"})

    def _metrics(self, visitor: Visitor, _: Request) -> None:
        self.look()
        content_type = "text/plain; version=0.0.4; charset=utf-8"
        self._reply(visitor, 200, self.signals.text(), {"Content-Type": content_type})

    def _live(self, visitor: Visitor, request: Request) -> None:
        """Open a stream: subscribe first, read second, so that no change falls between."""
        address = client_address(
            request,
            visitor.address,
            trusted_proxies=self.limits.trusted_proxies,
            address_header=self.limits.address_header,
        )
        self._check_room(address)
        jobs, cursor = named_jobs(request), parse_cursor(request)
        now = self._now()
        self.left(visitor)
        stream = Stream(
            visitor.hand_over(),
            self._poll,
            self,
            jobs=jobs,
            chunked=request.chunked,
            address=address,
            now=now,
            silence=self.limits.silence,
            ends_at=now + self.uniform(0.9, 1.0) * self.limits.lifetime,
        )
        self._streams.add(stream)
        self._addresses[address] += 1
        self._wheel.put(stream, now)
        first = retry(round(self.uniform(*RETRY_MS)))
        start = stream_head(stream.chunked, self.clock() // 1000)
        stream.write(start + (first if stream.chunked else plain(first)))
        if jobs is None and cursor is None:
            self.hub.begin(stream, Past([], self.hub.position))
        elif stream.is_open:
            self.beginning[stream] = asyncio.create_task(self._begin(stream, cursor))

    def _may_visit(self, peer: str) -> bool:
        """Is there room for one more? A proxy's connections are many clients', and not counted by address."""
        if self.connections >= self.limits.max_streams + SPARE_CONNECTIONS:
            return False
        is_proxy = bool(self.limits.trusted_proxies or self.limits.address_header)
        return is_proxy or self._visiting[peer] < self.limits.max_per_address

    def _check_room(self, address: str) -> None:
        wait = {"Retry-After": str(round(self.uniform(1, 5)))}
        if self.draining:
            raise Refused(503, "the relay is being replaced; connect again", headers=wait)
        if len(self._streams) >= self.limits.max_streams:
            raise Refused(503, "the relay is full; connect again later", headers=wait)
        if self._addresses[address] >= self.limits.max_per_address:
            raise Refused(429, "too many streams from this address; close some", headers=wait)

    async def _begin(self, stream: Stream, cursor: int | None) -> None:
        """Send what the client has missed, as far as that can be said, and go on live."""
        try:
            past = await self._past(stream, cursor)
        except (BotoCoreError, ClientError):
            logger.exception("history not read")
            stream.close()  # it comes back, and is told again what it wants to know
            return
        finally:
            self.beginning.pop(stream, None)
        if past is None:
            past = Past([], self.hub.position)
            stream.send(resync(self.clock()))
        if not self.hub.begin(stream, past):
            logger.warning("reading took too long for a stream to begin")
            stream.close()

    async def _past(self, stream: Stream, cursor: int | None) -> Past | None:
        if stream.jobs is not None:
            return await self.history.current(stream.jobs)
        return None if cursor is None or cursor == BAD_CURSOR else await self.history.since(cursor)

    def caught_up(self, stream: Stream) -> None:
        """Called by a stream."""
        self.hub.caught_up(stream)

    def closed(self, stream: Stream) -> None:
        """Called by a stream that is gone."""
        self.hub.remove(stream)
        self._streams.discard(stream)
        _take_one(self._addresses, stream.address)
        if stream.too_slow:
            self.signals.dropped.inc()
        if beginning := self.beginning.pop(stream, None):
            beginning.cancel()


def _take_one(counts: Counter[str], address: str) -> None:
    counts[address] -= 1
    if not counts[address]:
        del counts[address]
