"""Who gets what, in which order, and who is dropped."""

import asyncio
from typing import cast

from functions.sse_relay.change import Change
from functions.sse_relay.hub import MAX_BACKLOG, MAX_BUFFER, MEMORY_SECONDS, Hub, Stream
from tests.relay.conftest import change, job_id


class FakeTransport:
    """Takes what is written; `lag` bytes stay in its buffer."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.lag = 0
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return self.lag

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def listener(hub: Hub, *numbers: int, begun: bool = True) -> tuple[FakeTransport, Stream]:
    transport = FakeTransport()
    jobs = frozenset(map(job_id, numbers)) if numbers else None
    stream = Stream(cast(asyncio.WriteTransport, transport), jobs, chunked=False, now=0.0)
    hub.add(stream)
    if begun:
        stream.begin([], 0.0)
    return transport, stream


def frames(*changes: Change) -> list[bytes]:
    return [one.frame.plain for one in changes]


def test_a_change_reaches_those_who_named_its_job_and_those_who_want_all() -> None:
    hub = Hub(Clock())
    (one, _), (other, _), (everything, _) = listener(hub, 1), listener(hub, 2), listener(hub)
    hub.publish(change(1))
    assert one.written == everything.written == frames(change(1))
    assert other.written == []


def test_a_stream_that_left_gets_nothing_more() -> None:
    hub = Hub(Clock())
    transport, stream = listener(hub, 1)
    hub.remove(stream)
    hub.publish(change(1))
    assert transport.written == []
    assert len(hub) == 0


def test_repeated_and_older_versions_are_dropped() -> None:
    hub = Hub(Clock())
    transport, _ = listener(hub)
    sent = [hub.publish(change(1, version)) for version in (2, 2, 1, 3)]
    assert sent == [True, False, False, True]
    assert transport.written == frames(change(1, 2), change(1, 3))


def test_versions_are_remembered_longer_than_any_stream_lives_and_then_forgotten() -> None:
    clock = Clock()
    hub = Hub(clock)
    hub.publish(change(1, 2))
    clock.now = MEMORY_SECONDS - 1
    assert hub.publish(change(1, 1)) is False
    clock.now = 2 * MEMORY_SECONDS + 1
    hub.publish(change(2))
    assert hub.publish(change(1, 1)) is True


def test_what_comes_during_the_history_is_spliced_behind_it_without_repeats() -> None:
    hub = Hub(Clock())
    transport, stream = listener(hub, begun=False)
    for one in (change(1, 2), change(2, 1), change(1, 3)):
        hub.publish(one)
    assert transport.written == []
    stream.begin([change(1, 2), change(3, 1)], 0.0)
    assert transport.written == frames(change(1, 2), change(3, 1), change(2, 1), change(1, 3))


def test_a_reader_that_cannot_keep_up_is_dropped_and_the_others_are_not() -> None:
    hub = Hub(Clock())
    (slow, stream), (quick, _) = listener(hub), listener(hub)
    slow.lag = MAX_BUFFER + 1
    hub.publish(change(1))
    assert slow.aborted
    assert stream.ended.is_set()
    assert slow.written == []
    assert quick.written == frames(change(1))


def test_a_stream_whose_history_takes_too_long_is_dropped() -> None:
    hub = Hub(Clock())
    transport, stream = listener(hub, begun=False)
    for number in range(MAX_BACKLOG + 1):
        hub.publish(change(number))
    assert transport.aborted
    assert stream.ended.is_set()


def test_only_silent_streams_get_a_heartbeat() -> None:
    clock = Clock()
    hub = Hub(clock)
    (busy, _), (silent, _) = listener(hub, 1), listener(hub, 2)
    clock.now = 10
    hub.publish(change(1))
    clock.now = 16
    hub.heartbeat(15)
    hub.heartbeat(15)
    assert busy.written == frames(change(1))
    assert silent.written == [b":\n\n"]
