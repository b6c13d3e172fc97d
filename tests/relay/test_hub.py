"""Who gets what, in which order, and who is dropped: over real sockets, whose other ends are read here."""

import os
import socket
from collections.abc import Iterator

import pytest

from functions.sse_relay.change import Change
from functions.sse_relay.connection import MAX_PENDING
from functions.sse_relay.hub import MAX_REMEMBERED, MEMORY_SECONDS, Hub, Past
from functions.sse_relay.poll import Poll
from functions.sse_relay.stream import Stream
from tests.relay.conftest import change, job_id

KERNEL_BYTES = 4096


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Listener:
    """A client of the hub, at both ends."""

    def __init__(self, hub: Hub, poll: Poll, jobs: frozenset[str] | None, *, chunked: bool) -> None:
        ours, self._theirs = socket.socketpair()
        for end in (ours, self._theirs):
            end.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        self._hub = hub
        self.told: list[str] = []
        self.stream = Stream(
            ours, poll, self, jobs=jobs, chunked=chunked, address="", now=0.0, silence=15, ends_at=840
        )

    def caught_up(self, stream: Stream) -> None:
        self._hub.caught_up(stream)

    def closed(self, stream: Stream) -> None:
        self.told.append("too slow" if stream.too_slow else "closed")
        self._hub.remove(stream)

    def read(self) -> bytes:
        """All that has come."""
        data = b""
        try:
            while part := self._theirs.recv(65536):
                data += part
        except BlockingIOError:
            pass
        return data

    def leave(self) -> None:
        self._theirs.close()


class Room:
    def __init__(self, clock: Clock, ring: int = 100) -> None:
        self.hub = Hub(clock, ring)
        self.poll = Poll()
        self.clients: list[Listener] = []

    def listener(self, *numbers: int, chunked: bool = True, begin: bool = True) -> Listener:
        jobs = frozenset(map(job_id, numbers)) if numbers else None
        client = Listener(self.hub, self.poll, jobs, chunked=chunked)
        self.clients.append(client)
        if begin:
            assert self.hub.begin(client.stream, Past([], self.hub.position))
        return client

    def publish(self, *changes: Change) -> list[Change]:
        return self.hub.publish(changes)

    def close(self) -> None:
        for client in self.clients:
            client.stream.close()
            client.leave()
        self.poll.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def room(clock: Clock) -> Iterator[Room]:
    room = Room(clock)
    yield room
    room.close()


def chunks(*changes: Change) -> bytes:
    return b"".join(one.chunk for one in changes)


def test_a_change_reaches_those_who_named_its_job_and_those_who_want_all(room: Room) -> None:
    one, other, everything = room.listener(1), room.listener(2), room.listener()
    room.publish(change(1))
    assert one.read() == everything.read() == change(1).chunk
    assert other.read() == b""
    assert room.hub.deliveries == 2


def test_changes_that_come_together_are_written_together_and_in_order(room: Room) -> None:
    everything, old = room.listener(), room.listener(chunked=False)
    room.publish(change(1), change(2), change(1, 2))
    assert everything.read() == chunks(change(1), change(2), change(1, 2))
    assert old.read().count(b"data: ") == 3
    assert room.hub.deliveries == 6


def test_a_stream_that_left_gets_nothing_more(room: Room) -> None:
    gone, everything = room.listener(1), room.listener()
    gone.stream.close()
    everything.stream.close()
    room.publish(change(1))
    assert gone.read() == everything.read() == b""
    assert room.hub.deliveries == 0
    assert gone.told == ["closed"]


def test_a_client_that_is_gone_is_noticed_by_the_write_and_the_others_get_theirs(room: Room) -> None:
    gone, here = room.listener(), room.listener()
    gone.leave()
    room.publish(change(1))
    assert gone.told == ["closed"]
    assert here.read() == change(1).chunk


def test_a_descriptor_is_forgotten_before_it_can_be_anothers(room: Room) -> None:
    clients = [room.listener() for _ in range(3)]
    room.publish(change(1))
    gone = clients[1].stream.descriptor
    clients[1].stream.close()
    reader, writer = os.pipe()
    assert gone in (reader, writer)
    room.publish(change(2))
    assert [client.read() for client in clients] == [
        chunks(change(1), change(2)),
        change(1).chunk,
        chunks(change(1), change(2)),
    ]
    os.set_blocking(reader, False)
    with pytest.raises(BlockingIOError):
        os.read(reader, 1)
    os.close(reader)
    os.close(writer)


def test_repeated_and_older_versions_are_dropped(room: Room) -> None:
    client = room.listener()
    sent = [len(room.publish(change(1, version))) for version in (2, 2, 1, 3)]
    assert sent == [1, 0, 0, 1]
    assert client.read() == chunks(change(1, 2), change(1, 3))


def test_versions_are_remembered_longer_than_any_stream_lives_and_then_forgotten(
    room: Room, clock: Clock
) -> None:
    room.publish(change(1, 2))
    clock.now = MEMORY_SECONDS - 1
    assert room.publish(change(1, 1)) == []
    clock.now = 2 * MEMORY_SECONDS + 1
    room.publish(change(2))
    assert room.publish(change(1, 1)) == [change(1, 1)]


def test_so_many_jobs_are_remembered_and_no_more(room: Room) -> None:
    first, *others = (Change(str(number), 1, 0, b"") for number in range(MAX_REMEMBERED + 1))
    room.publish(first, *others)
    assert room.publish(others[0]) == []
    assert room.publish(first) == [first]


def test_the_past_is_followed_by_what_came_since_without_repeats_and_only_forwards(room: Room) -> None:
    client = room.listener(begin=False)
    room.publish(change(4))
    position = room.hub.position
    room.publish(change(1, 2), change(2, 1), change(1, 3))
    assert client.read() == b""
    room.hub.begin(client.stream, Past([change(1, 2), change(3, 1)], position))
    room.publish(change(5))
    assert client.read() == chunks(change(1, 2), change(3, 1), change(2, 1), change(1, 3), change(5))


def test_a_state_that_was_shown_is_not_followed_by_an_older_one_and_reaches_the_others(room: Room) -> None:
    shown, other = room.listener(begin=False), room.listener()
    room.hub.shown([change(1, 3)])
    room.hub.begin(shown.stream, Past([change(1, 3)], room.hub.position))
    room.publish(change(1, 2), change(1, 3), change(1, 4))
    assert shown.read() == chunks(change(1, 3), change(1, 3), change(1, 4))
    assert other.read() == chunks(change(1, 3), change(1, 4))


def test_a_client_that_left_while_its_past_was_read_is_no_matter(room: Room) -> None:
    client = room.listener(begin=False)
    client.stream.close()
    assert room.hub.begin(client.stream, Past([change(1)], 0))
    room.publish(change(2))
    assert client.read() == b""


def test_a_past_that_the_ring_does_not_reach_cannot_be_continued(clock: Clock) -> None:
    room = Room(clock, ring=3)
    client = room.listener(begin=False)
    for number in range(4):
        room.publish(change(number))
    assert room.hub.begin(client.stream, Past([], 0)) is False
    assert room.hub.begin(client.stream, Past([], 1)) is True
    assert client.read() == chunks(change(1), change(2), change(3))
    room.close()


def test_the_position_of_a_while_ago(room: Room, clock: Clock) -> None:
    for clock.now in (1, 2, 3):
        room.publish(change(int(clock.now)))
    assert [room.hub.position_ago(seconds) for seconds in (0.5, 1, 5)] == [2, 1, 0]


def test_a_client_that_lags_gets_all_in_order_when_it_reads_again(room: Room) -> None:
    slow, quick = room.listener(), room.listener()
    expected = quick_read = b""
    for number in range(300):
        room.publish(change(number, query="x" * 200))
        expected += change(number, query="x" * 200).chunk
        quick_read += quick.read()
    assert quick_read == expected
    assert 0 < slow.stream.pending_bytes < len(expected)
    got = b""
    while slow.stream.is_pending:
        got += slow.read()
        slow.stream.on_ready(writable=True)
    got += slow.read()
    assert slow.stream in room.hub._ready.values()
    room.publish(change(1000))
    assert got + slow.read() == expected + change(1000).chunk
    assert slow.told == []


def test_a_client_that_cannot_keep_up_is_dropped_and_the_others_are_not(room: Room) -> None:
    slow, quick = room.listener(), room.listener()
    sent = 0
    while not slow.told:
        sent += 1
        room.publish(change(sent, query="x" * 2000))
        assert quick.read() == change(sent, query="x" * 2000).chunk
        assert slow.stream.pending_bytes < MAX_PENDING + 10_000
    assert slow.told == ["too slow"]
    assert sent * len(change(1, query="x" * 2000).chunk) > MAX_PENDING


def test_a_long_past_is_not_held_against_its_reader(room: Room) -> None:
    client = room.listener(begin=False)
    past = [change(number, query="x" * 2000) for number in range(MAX_PENDING // 1000)]
    room.hub.begin(client.stream, Past(past, 0))
    assert client.stream.pending_bytes > MAX_PENDING
    room.publish(change(9999))
    assert client.told == []
    got = client.read()
    while client.stream.is_pending:
        client.stream.on_ready(writable=True)
        got += client.read()
    assert got == chunks(*past, change(9999))


def test_only_silent_streams_get_a_comment_and_the_last_word_is_the_end(room: Room) -> None:
    busy, silent, everything = room.listener(1), room.listener(2), room.listener()
    room.hub._clock.now = 10  # type: ignore[attr-defined]
    room.publish(change(1))
    for client in (busy, everything):
        assert client.stream.due(16, room.hub.feed_written_at) == 25
        assert client.read() == change(1).chunk
    assert silent.stream.due(16, room.hub.feed_written_at) == 31
    assert silent.stream.due(17, room.hub.feed_written_at) == 31
    assert silent.read() == b"3\r\n:\n\n\r\n"
    assert silent.stream.due(840, room.hub.feed_written_at) is None
    assert silent.read() == b"0\r\n\r\n"
    assert silent.told == ["closed"]
