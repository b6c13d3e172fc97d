"""The relay's HTTP endpoints: `GET /live`, `GET /healthz` and `GET /metrics`."""

import asyncio
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

from functions.common.clock import Clock, now_ms
from functions.common.errors import FieldError, problem_body
from functions.common.job import to_json
from functions.common.observability import logger
from functions.sse_relay.admission import Admission
from functions.sse_relay.drain import call_at_intervals
from functions.sse_relay.history import INDEX_LAG_SECONDS, History
from functions.sse_relay.http.listener import Listener
from functions.sse_relay.http.poll import Poll
from functions.sse_relay.http.request import Refused, Request
from functions.sse_relay.http.response import CORS, PREFLIGHT, STREAM_HEADERS, response_head, stream_head
from functions.sse_relay.http.visitor import Visitor
from functions.sse_relay.http.wheel import TimerWheel
from functions.sse_relay.hub import Backlog, Hub
from functions.sse_relay.job_change import HEARTBEAT, JobChange, resync, retry, unchunk
from functions.sse_relay.metrics import RelayMetrics
from functions.sse_relay.resume import count_reads, read_backlog
from functions.sse_relay.stream import Stream
from functions.sse_relay.subscription import Subscription, parse_subscription

if TYPE_CHECKING:
    from functions.sse_relay.sign_in import SignIn

RETRY_MS = (1000, 4000)


@dataclass(frozen=True)
class Times:
    """Times in seconds. `head`: for the client to send its request. `lifetime`: of a stream; API Gateway ends
    it after 15 minutes. `tick`: resolution of all timers."""

    head: float = 10.0
    heartbeat: float = 15.0
    lifetime: float = 14 * 60.0
    tick: float = 1.0


@dataclass(frozen=True)
class _Probe:
    """The second write to a client that has closed its side."""

    stream: Stream

    def on_timer(self, _: float) -> None:
        if self.stream.is_open:
            self.stream.send(HEARTBEAT)

    def close(self) -> None:
        self.stream.close()


class Relay:
    """Answers requests and opens streams. Used from one event loop. Without `sign_in` all jobs are public."""

    def __init__(
        self,
        hub: Hub,
        history: History,
        metrics: RelayMetrics,
        admission: Admission,
        *,
        is_feed_alive: Callable[[], bool] = lambda: True,
        sign_in: "SignIn | None" = None,
        times: Times = Times(),  # immutable
        uniform: Callable[[float, float], float] = random.uniform,
        clock: Clock = now_ms,
    ) -> None:
        self.hub = hub
        self.admission = admission
        self.starting: dict[Stream, asyncio.Task[None]] = {}
        """Streams whose backlog is being read."""
        self._history = history
        self._sign_in = sign_in
        self._verifying: set[asyncio.Task[None]] = set()
        """Requests whose sender is being verified."""
        self._is_feed_alive = is_feed_alive
        self._metrics = metrics
        self._times = times
        self._uniform = uniform
        self._clock = clock
        self._now = asyncio.get_running_loop().time
        self._poll = Poll()
        self._listener = Listener(self._poll, self._accept)
        self._timers: TimerWheel[Visitor | Stream | _Probe] = TimerWheel(self._now(), times.tick)
        self._streams: set[Stream] = set()
        self._visitors: set[Visitor] = set()
        self._healthy_at = self._complete_at = 0.0
        # bound once, because each bound method of a connection would take 64 bytes
        self._feed_written_at, self._on_caught_up = hub.feed_written_at, hub.caught_up
        self._on_stream_closed, self._on_visitor_closed = self._remove_stream, self._remove_visitor
        self._on_request, self._on_refused = self._route, self._refuse
        self._on_half_closed = self._probe
        self._routes: dict[str, Callable[[Visitor, Request], None]] = {
            "/live": self._answer_live,
            "/api/live": self._answer_live,  # API Gateway passes its stage's name to a private integration
            "/healthz": self._answer_health,
            "/metrics": self._answer_metrics,
        }

    @property
    def streams(self) -> list[Stream]:
        """Return the open streams."""
        return list(self._streams)

    def publish(self, changes: list[JobChange]) -> list[JobChange]:
        """Send changes to the streams that want them. Returns those that were new."""
        new_changes = self.hub.publish(changes)
        now = self._clock()
        self._metrics.add_lags([now - change.updated_at for change in new_changes])
        return new_changes

    def listen(self, host: str, port: int) -> int:
        """Accept connections. Returns the port."""
        self._poll.start()
        return self._listener.start(host, port)

    def close(self) -> None:
        """Close the listening socket and all connections immediately."""
        self._listener.stop()
        for connection in [*self._streams, *self._visitors]:
            connection.close()
        self._poll.stop()

    def set_healthy_in(self, seconds: float) -> None:
        """Fail health checks until then.

        Until then changes may be published that do not arrive here. So streams begin only when the index has
        those: if they began before, no read and no position in the ring would show that one is missing.
        """
        self._healthy_at = self._now() + seconds
        self._complete_at = self._healthy_at + (INDEX_LAG_SECONDS if seconds else 0)

    async def drain(self, seconds: float) -> None:
        """End the streams at equal intervals over `seconds`, so that clients reconnect one by one.

        From now on new streams are refused and health checks fail.
        """
        self.admission.draining = True
        ends = [stream.end for stream in self._streams]
        logger.info("drain started", extra={"streams": len(ends), "seconds": seconds})
        await call_at_intervals(ends, seconds, self._now)

    async def run_timers(self) -> None:
        """Run the timers and sample the metrics at each tick, until cancelled."""
        while True:
            await asyncio.sleep(self._times.tick)
            now = self._now()
            for connection in self._timers.advance(now):
                self._run_timer(connection, now)
            for stream in self.streams:
                stream.drop_if_stuck(now)
            self._sample_metrics()

    def _probe(self, stream: Stream) -> None:
        """Find out whether a client that has closed its side still reads: two writes fail if it does not."""
        stream.send(HEARTBEAT)
        self._timers.add(_Probe(stream), self._now())

    def _run_timer(self, connection: Visitor | Stream | _Probe, now: float) -> None:
        try:
            next_time = connection.on_timer(now)
        except Exception:  # noqa: BLE001  # one connection must not stop the timers of the others
            logger.exception("timer failed")
            connection.close()
            return
        if next_time is not None:
            self._timers.add(connection, next_time)

    def _sample_metrics(self) -> None:
        self._metrics.sample(
            streams=self.admission.streams.total,
            connections=self.admission.connections,
            pending_bytes=sum(stream.pending_bytes for stream in self._streams),
            deliveries=self.hub.deliveries,
        )

    def _accept(self, connected: socket.socket, peer: str) -> None:
        """Start to read the request of an accepted connection. Called by the listener."""
        if not self.admission.accepts_visitor(peer):
            connected.close()
            return
        deadline = self._now() + self._times.head
        visitor = Visitor(
            connected,
            self._poll,
            address=peer,
            deadline=deadline,
            on_request=self._on_request,
            on_refused=self._on_refused,
            on_closed=self._on_visitor_closed,
        )
        self._visitors.add(visitor)
        self.admission.visitors.add(peer)
        self._timers.add(visitor, deadline)

    def _remove_visitor(self, visitor: Visitor) -> None:
        self._visitors.discard(visitor)
        self.admission.visitors.remove(visitor.address)

    def _route(self, visitor: Visitor, request: Request) -> None:
        handle = self._routes.get(request.path)
        if handle is None:
            raise Refused(404, "there is only /live here")
        if request.method == "OPTIONS":
            self._respond(visitor, 204, b"", PREFLIGHT)
            return
        if request.method not in ("GET", "HEAD"):
            raise Refused(405, "only GET is served", headers={"Allow": "GET, HEAD, OPTIONS"})
        handle(visitor, request)

    def _refuse(self, visitor: Visitor, refused: Refused) -> None:
        self._metrics.refused.labels(str(refused.status)).inc()
        errors = [FieldError(refused.field, refused.detail)] if refused.field else []
        body = problem_body(refused.status, refused.detail, errors)
        headers = {"Content-Type": "application/problem+json", **CORS, **refused.headers}
        self._respond(visitor, refused.status, to_json(body).encode(), headers)

    def _respond(self, visitor: Visitor, status: int, body: bytes, headers: dict[str, str]) -> None:
        date = self._clock() // 1000
        head = response_head(status, {**headers, "Content-Length": str(len(body))}, date)
        now = self._now()
        visitor.respond(head if visitor.wants_head else head + body, now)
        self._timers.add(visitor, now)

    def _answer_health(self, visitor: Visitor, _: Request) -> None:
        """Answer `200` while new streams are accepted and will not miss a change."""
        if self.admission.draining:
            status, text = 503, b"draining"
        elif self._now() < self._healthy_at:
            status, text = 503, b"starting"
        elif not self._is_feed_alive():
            status, text = 503, b"feed stopped"
        else:
            status, text = 200, b"ok"
        self._respond(visitor, status, text, {"Content-Type": "text/plain"})

    def _answer_metrics(self, visitor: Visitor, _: Request) -> None:
        self._sample_metrics()
        content_type = "text/plain; version=0.0.4; charset=utf-8"
        self._respond(visitor, 200, self._metrics.text(), {"Content-Type": content_type})

    def _answer_live(self, visitor: Visitor, request: Request) -> None:
        address = self.admission.client_address(request, visitor.address)
        if self._sign_in is None:
            self._open_stream(visitor, request, address, parse_subscription(request))
            return
        self.admission.check_stream(address)
        visitor.stop_reading()
        task = asyncio.create_task(self._verify(visitor, request, address, self._sign_in))
        self._verifying.add(task)
        task.add_done_callback(self._verifying.discard)

    async def _verify(self, visitor: Visitor, request: Request, address: str, sign_in: "SignIn") -> None:
        """Open the stream if its sender may see it."""
        try:
            wanted = await sign_in.subscribe(request)
            if visitor.is_open:
                self._open_stream(visitor, request, address, wanted)
        except Refused as refused:
            if visitor.is_open:
                visitor.start_reading()
                self._refuse(visitor, refused)
        except Exception:  # noqa: BLE001  # whatever happens, the client must not wait
            logger.exception("caller not verified")
            visitor.close()

    def _open_stream(self, visitor: Visitor, request: Request, address: str, wanted: Subscription) -> None:
        """Subscribe first and read second, so that no change is missed in between. Raises Refused."""
        now = self._now()
        self.admission.check_stream(address)
        self.admission.check_reads(address, count_reads(self.hub, wanted), now)
        if visitor.wants_head:
            visitor.start_reading()
            self._respond(visitor, 200, b"", STREAM_HEADERS)
            return
        self._remove_visitor(visitor)
        stream = self._add_stream(visitor.detach(), wanted, address, now, chunked=request.chunked)
        first = retry(round(self._uniform(*RETRY_MS)))
        head = stream_head(stream.chunked, self._clock() // 1000)
        stream.write(head + (first if stream.chunked else unchunk(first)))
        if wanted.jobs is None and not wanted.cursor and now >= self._complete_at:
            self.hub.join(stream)
        elif stream.is_open:
            # without a cursor, a stream that has to wait begins with what changes from now on
            wanted = replace(wanted, cursor=wanted.cursor or str(self._clock()))
            self.starting[stream] = asyncio.create_task(self._start_stream(stream, wanted))

    def _add_stream(
        self, connected: socket.socket, wanted: Subscription, address: str, now: float, *, chunked: bool
    ) -> Stream:
        expires_at = inf
        if wanted.expires_at is not None:
            expires_at = now + (wanted.expires_at - self._clock()) / 1000
        stream = Stream(
            connected,
            self._poll,
            owner=wanted.owner,
            jobs=wanted.jobs,
            chunked=chunked,
            address=address,
            now=now,
            heartbeat_seconds=self._times.heartbeat,
            ends_at=now + self._uniform(0.9, 1.0) * self._times.lifetime,
            expires_at=expires_at,
            feed_written_at=self._feed_written_at,
            on_caught_up=self._on_caught_up,
            on_half_closed=self._on_half_closed,
            on_closed=self._on_stream_closed,
        )
        self._streams.add(stream)
        self.admission.streams.add(address)
        self._timers.add(stream, now)
        return stream

    async def _start_stream(self, stream: Stream, wanted: Subscription) -> None:
        """Send the backlog, or a resync if it is not known, and then live changes."""
        try:
            await asyncio.sleep(self._complete_at - self._now())
            backlog = await read_backlog(self.hub, self._history, wanted, self._clock())
        except Exception:  # noqa: BLE001  # whatever happens, a stream that cannot start must end
            logger.exception("history not read")
            stream.close()  # the client reconnects and gets its backlog then
            return
        finally:
            self.starting.pop(stream, None)
        if backlog is None:
            backlog = Backlog([], self.hub.position)
            stream.send(resync(self._clock()))
        if not self.hub.start(stream, backlog):
            logger.warning("stream closed: reading its history took too long")
            stream.close()

    def _remove_stream(self, stream: Stream) -> None:
        self.hub.remove(stream)
        self._streams.discard(stream)
        self.admission.streams.remove(stream.address)
        if stream.too_slow:
            self._metrics.dropped.inc()
        if starting := self.starting.pop(stream, None):
            starting.cancel()
