"""Which stream gets which change, in which order: over real sockets, whose other ends are read here."""

import os
from collections.abc import Iterator

import pytest

from functions.sse_relay import hub
from functions.sse_relay.http.connection import MAX_PENDING
from functions.sse_relay.hub import VERSION_SECONDS, Backlog
from functions.sse_relay.job_change import JobChange
from functions.sse_relay.stream import MAX_PENDING_SECONDS
from tests.relay.conftest import change, job_id
from tests.relay.hub_clients import Clients, Clock, data, data_of, states


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def clients(clock: Clock) -> Iterator[Clients]:
    clients = Clients(clock)
    yield clients
    clients.close()


def test_a_change_reaches_streams_of_its_job_and_streams_of_all_jobs(clients: Clients) -> None:
    first, other, everything = clients.add(1), clients.add(2), clients.add()
    clients.publish(change(1))
    assert first.read() == everything.read() == data(change(1))
    assert other.read() == b""
    assert clients.hub.deliveries == 2


def test_changes_that_arrive_together_are_written_in_order(clients: Clients) -> None:
    everything, old = clients.add(), clients.add(chunked=False)
    clients.publish(change(1), change(2), change(1, 2))
    assert everything.read() == data(change(1), change(2), change(1, 2))
    assert old.read().count(b"data: ") == 3
    assert clients.hub.deliveries == 6


def test_a_closed_stream_gets_nothing(clients: Clients) -> None:
    gone, everything = clients.add(1), clients.add()
    gone.stream.close()
    everything.stream.close()
    clients.publish(change(1))
    assert gone.read() == everything.read() == b""
    assert clients.hub.deliveries == 0
    assert gone.closed == ["closed"]


def test_a_write_to_a_closed_client_removes_it_and_the_others_get_their_change(clients: Clients) -> None:
    gone, here = clients.add(), clients.add()
    gone.disconnect()
    clients.publish(change(1))
    assert gone.closed == ["closed"]
    assert here.read() == data(change(1))


def test_a_descriptor_is_dropped_before_it_can_be_reused(clients: Clients) -> None:
    three = [clients.add() for _ in range(3)]
    clients.publish(change(1))
    gone = three[1].stream.descriptor
    three[1].stream.close()
    reader, writer = os.pipe()
    assert gone in (reader, writer)
    clients.publish(change(2))
    assert [client.read() for client in three] == [
        data(change(1), change(2)),
        data(change(1)),
        data(change(1), change(2)),
    ]
    os.set_blocking(reader, False)
    with pytest.raises(BlockingIOError):
        os.read(reader, 1)
    os.close(reader)
    os.close(writer)


def test_repeated_and_older_versions_are_dropped(clients: Clients) -> None:
    client = clients.add()
    sent = [len(clients.publish(change(1, version))) for version in (2, 2, 1, 3)]
    assert sent == [1, 0, 0, 1]
    assert client.read() == data(change(1, 2), change(1, 3))


def test_versions_are_remembered_longer_than_a_stream_lives(clients: Clients, clock: Clock) -> None:
    clients.publish(change(1, 2))
    clock.now = VERSION_SECONDS - 1
    assert clients.publish(change(1, 1)) == []
    clock.now = 2 * VERSION_SECONDS + 1
    clients.publish(change(2))
    assert states(clients.publish(change(1, 1))) == [(job_id(1), 1)]


def test_the_number_of_remembered_jobs_is_limited(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "MAX_VERSIONS", 1000)
    first, *others = (JobChange("a", str(number), 1, 0, change().chunk) for number in range(1001))
    clients.publish(first, *others)
    assert clients.publish(others[0]) == []
    assert states(clients.publish(first)) == [("0", 1)]


def test_the_backlog_is_followed_by_later_changes_without_repeats_and_only_forwards(clients: Clients) -> None:
    client = clients.add(start=False)
    clients.publish(change(4))
    position = clients.hub.position
    clients.publish(change(1, 2), change(2, 1), change(1, 3))
    assert client.read() == b""
    clients.hub.start(client.stream, Backlog([change(1, 2), change(3, 1)], position))
    clients.publish(change(5))
    assert client.read() == data(change(1, 2), change(3, 1), change(2, 1), change(1, 3), change(5))


def test_a_version_that_was_read_is_not_followed_by_an_older_one_and_reaches_other_streams(
    clients: Clients,
) -> None:
    reader, other = clients.add(start=False), clients.add()
    clients.hub.record_read([change(1, 3)])
    clients.hub.start(reader.stream, Backlog([change(1, 3)], clients.hub.position))
    clients.publish(change(1, 2), change(1, 3), change(1, 4))
    assert reader.read() == data(change(1, 3), change(1, 4))
    assert other.read() == data(change(1, 3), change(1, 4))


@pytest.mark.parametrize("numbers", [(), (1, 2)])
def test_a_version_in_the_backlog_is_not_sent_again_by_the_feed(
    clients: Clients, numbers: tuple[int, ...]
) -> None:
    client = clients.add(*numbers, start=False)
    backlog = [change(1), change(2, 3)]
    clients.hub.record_read(backlog)
    clients.hub.start(client.stream, Backlog(backlog, clients.hub.position))
    clients.publish(change(1), change(2, 2))
    clients.publish(change(2, 3), change(2, 4), change(1, 2))
    assert client.read() == data(change(1), change(2, 3), change(2, 4), change(1, 2))
    assert clients.hub.deliveries == 2


def test_a_version_in_the_backlog_is_not_sent_again_an_hour_later(clients: Clients, clock: Clock) -> None:
    """The other streams get it, the slow one too, and all of them get what arrives with it in order."""
    reader, other, slow = clients.add(start=False), clients.add(), clients.add(chunked=False)
    clients.hub.record_read([change(1, 3)])
    clients.hub.start(reader.stream, Backlog([change(1, 3)], clients.hub.position))
    assert clients.is_fast(reader)
    clock.now = VERSION_SECONDS - 1
    clients.publish(change(2), change(1, 3), change(4))
    assert reader.read() == data(change(1, 3), change(2), change(4))
    assert other.read() == data(change(2), change(1, 3), change(4))
    assert slow.read().count(b"data: ") == 3
    assert clients.hub.deliveries == 8


def test_a_client_may_disconnect_while_its_backlog_is_read(clients: Clients) -> None:
    client = clients.add(start=False)
    client.stream.close()
    assert clients.hub.start(client.stream, Backlog([change(1)], 0))
    clients.publish(change(2))
    assert client.read() == b""


def test_a_backlog_older_than_the_ring_cannot_be_continued(clock: Clock) -> None:
    clients = Clients(clock, ring_size=3)
    client = clients.add(start=False)
    for number in range(4):
        clients.publish(change(number))
    assert clients.hub.start(client.stream, Backlog([], 0)) is False
    assert clients.hub.start(client.stream, Backlog([], 1)) is True
    assert client.read() == data(change(1), change(2), change(3))
    clients.close()


def test_the_position_before_some_seconds(clients: Clients, clock: Clock) -> None:
    for clock.now in (1, 2, 3):
        clients.publish(change(int(clock.now)))
    seconds_of_changes = {0.5: 1, 1.5: 2, 2.5: 3, 5: 3}
    for seconds, count in seconds_of_changes.items():
        client = clients.add(start=False)
        assert clients.hub.start(client.stream, Backlog([], clients.hub.position_before(seconds, "public")))
        assert client.read().count(b"data: ") == count


def test_the_position_before_some_seconds_is_not_before_the_ring(clock: Clock) -> None:
    clients = Clients(clock, ring_size=3)
    for number in range(5):
        clients.publish(change(number))
    client = clients.add(start=False)
    assert clients.hub.start(client.stream, Backlog([], clients.hub.position_before(5, "public")))
    assert client.read() == data(change(2), change(3), change(4))
    clients.close()


def test_a_slow_client_gets_everything_in_order_when_it_reads(clients: Clients) -> None:
    slow, quick = clients.add(), clients.add()
    expected = quick_read = b""
    for number in range(300):
        clients.publish(change(number, text="x" * 200))
        expected += data(change(number, text="x" * 200))
        quick_read += quick.read()
    assert quick_read == expected
    assert slow.stream.is_pending
    got = slow.read_all()
    assert clients.is_fast(slow)
    clients.publish(change(1000))
    assert data_of(got + slow.read_bytes()) == expected + data(change(1000))
    assert slow.closed == []


def test_a_client_that_is_too_slow_is_dropped_and_the_others_are_not(clients: Clients) -> None:
    slow, quick = clients.add(), clients.add()
    sent = 0
    while not slow.closed:
        sent += 1
        clients.publish(change(sent, text="x" * 2000))
        assert quick.read() == data(change(sent, text="x" * 2000))
        assert slow.stream.pending_bytes < MAX_PENDING + 10_000
    assert slow.closed == ["too slow"]
    assert sent * len(change(1, text="x" * 2000).chunk) > MAX_PENDING


def test_a_long_backlog_does_not_count_as_pending(clients: Clients) -> None:
    client = clients.add(start=False)
    backlog = [change(number, text="x" * 2000) for number in range(MAX_PENDING // 1000)]
    clients.hub.start(client.stream, Backlog(backlog, 0))
    assert client.stream.pending_bytes > MAX_PENDING
    clients.publish(change(9999))
    assert client.closed == []
    assert data_of(client.read_all()) == data(*backlog, change(9999))


def test_only_silent_streams_get_a_heartbeat_and_every_stream_ends(clients: Clients) -> None:
    busy, silent, everything = clients.add(1), clients.add(2), clients.add()
    clients.hub.clock.now = 10  # type: ignore[attr-defined]
    clients.publish(change(1))
    for client in (busy, everything):
        assert client.stream.on_timer(16) == 25
        assert client.read() == data(change(1))
    assert silent.stream.on_timer(16) == 31
    assert silent.stream.on_timer(17) == 31
    assert silent.read() == b"2\r\n:\n\r\n"
    assert silent.stream.on_timer(840) is None
    assert silent.read() == b"0\r\n\r\n"
    assert silent.closed == ["closed"]


def test_a_large_event_is_not_copied_for_each_slow_client(clients: Clients) -> None:
    slow = [clients.add() for _ in range(3)]
    clients.publish(change(1, text="x" * 200_000))
    clients.publish(change(2, text="x" * 50_000))
    first, *others = [[memoryview(buffer).obj for buffer in each.stream._pending or ()] for each in slow]
    assert len(first) == 2
    assert all(mine is theirs for other in others for mine, theirs in zip(first, other, strict=True))


def test_a_client_that_does_not_catch_up_for_a_minute_is_dropped(clients: Clients) -> None:
    stuck, slow, quick = clients.add(), clients.add(), clients.add()
    clients.publish(change(1, text="x" * 100_000))
    quick.read_all()
    for client in (stuck, slow, quick):
        client.stream.drop_if_stuck(1.0)
    slow.read_all()
    slow.stream.drop_if_stuck(MAX_PENDING_SECONDS)
    clients.publish(change(2, text="x" * 100_000))
    for client in (stuck, slow, quick):
        client.stream.drop_if_stuck(MAX_PENDING_SECONDS + 1.5)
    assert [client.closed for client in (stuck, slow, quick)] == [["too slow"], [], []]


def test_a_client_that_does_not_read_its_end_is_dropped(clients: Clients) -> None:
    stuck = clients.add()
    clients.publish(change(1, text="x" * 100_000))
    stuck.stream.end()
    assert stuck.closed == ["too slow"]
