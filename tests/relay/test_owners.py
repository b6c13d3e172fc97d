"""A change reaches the streams of its owner and of operators, and not a byte of it reaches anyone else."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from functions.common.job import SHARDS
from functions.sse_relay.cursor import parse
from functions.sse_relay.history.memory import MemoryHistory
from functions.sse_relay.hub import Backlog, Hub
from functions.sse_relay.job_change import JobChange
from functions.sse_relay.resume import read_backlog
from functions.sse_relay.subscription import Subscription
from tests.relay.conftest import NOW, change, job_id, run
from tests.relay.hub_clients import Clients, Clock, data, ids
from tests.relay.test_table_history import dynamodb, history, put

__all__ = ["dynamodb"]  # a fixture

OPERATOR = None


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def clients(clock: Clock) -> Iterator[Clients]:
    clients = Clients(clock, ring_size=5000)
    yield clients
    clients.close()


def anns(number: int, version: int = 1) -> JobChange:
    return change(number, version, owner="ann", text=f"secret {number}")


def bobs(number: int, version: int = 1) -> JobChange:
    return change(number, version, owner="bob")


def test_a_change_reaches_its_owner_and_operators(clients: Clients) -> None:
    ann, bob, operator = (clients.add(owner=owner) for owner in ("ann", "bob", OPERATOR))
    clients.publish(anns(1), bobs(2), anns(3))
    clients.publish(bobs(4))
    assert ann.read() == data(anns(1), anns(3))
    assert bob.read() == data(bobs(2), bobs(4))
    assert operator.read() == data(anns(1), anns(3), bobs(2), bobs(4))
    assert clients.hub.deliveries == 8


@pytest.mark.parametrize("chunked", [True, False])
def test_a_thousand_jobs_of_another_owner_leave_no_byte(clients: Clients, chunked: bool) -> None:
    bob = clients.add(owner="bob", chunked=chunked)
    named = clients.add(1, 2, 2001, owner="bob", chunked=chunked)
    slow = clients.add(owner="bob", chunked=chunked)
    for number in range(1000):
        clients.publish(anns(number), anns(number, 2))
    assert bob.read_bytes() == named.read_bytes() == b""
    clients.publish(bobs(2001))
    for client in (bob, named, slow):
        received = client.read_all()
        assert received.count(b"data: ") == 1
        assert b"secret" not in received
    assert clients.hub.deliveries == 3


def test_a_resumed_stream_gets_only_its_owner_s_changes_from_the_ring(clients: Clients) -> None:
    (seen,) = clients.publish(bobs(1))
    for number in range(10, 1010):
        clients.publish(anns(number))
    clients.publish(bobs(2))
    cursor = parse(ids(seen.chunk)[0])
    assert cursor is not None
    for owner, expected in (("bob", 1), ("ann", 1000), (OPERATOR, 1001), ("eve", 0)):
        backlog = clients.hub.resume(cursor, owner)
        assert backlog is not None
        client = clients.add(owner=owner, start=False)
        assert clients.hub.start(client.stream, backlog)
        received = client.read_all()
        assert received.count(b"data: ") == expected
        assert (b"secret" in received) == (owner in ("ann", OPERATOR))


def test_an_owner_s_ring_is_complete_although_others_changes_were_dropped(clock: Clock) -> None:
    clients = Clients(clock, ring_size=4)
    for number in range(4):
        clients.publish(anns(number))
    (seen,) = clients.publish(bobs(10))
    clients.publish(bobs(11), anns(12))
    cursor = parse(ids(seen.chunk)[0])
    assert cursor is not None
    assert clients.hub.resume(cursor, "bob") == Backlog([], cursor.position or 0)
    clients.publish(*(anns(number) for number in range(20, 24)))
    assert clients.hub.resume(cursor, "bob") is None, "his changes were dropped"
    assert clients.hub.resume(cursor, OPERATOR) is None
    clients.close()


def test_jobs_of_another_owner_in_a_backlog_are_left_out(clients: Clients) -> None:
    """Reads of named jobs are shared, so a backlog may have them."""
    backlog = Backlog([anns(1), bobs(2)], clients.hub.position)
    for owner, expected in (("bob", data(bobs(2))), ("eve", b""), (OPERATOR, data(anns(1), bobs(2)))):
        client = clients.add(1, 2, owner=owner, start=False)
        assert clients.hub.start(client.stream, backlog)
        assert client.read() == expected


def test_a_named_job_of_another_owner_is_never_sent(clients: Clients) -> None:
    bob, operator = clients.add(1, owner="bob"), clients.add(1, owner=OPERATOR)
    clients.publish(anns(1))
    assert bob.read_bytes() == b""
    assert operator.read() == data(anns(1))


def test_ids_do_not_tell_how_many_changes_others_have(clock: Clock) -> None:
    """An owner's ids are the same whether or not others have changes at the same times."""

    def ids_of_bob(others: int) -> list[str]:
        clock.now = 100.0
        clients = Clients(clock)
        bob = clients.add(owner="bob")
        for second in range(1, 4):
            clock.now = 100.0 + second
            clients.publish(*(anns(number) for number in range(1000 * second, 1000 * second + others)))
            clock.now += 0.5
            clients.publish(bobs(second), bobs(second + 10))
        late = clients.add(owner="bob", start=False)
        clients.hub.start(late.stream, Backlog([bobs(50), bobs(51)], clients.hub.position))
        received = ids(bob.read_all()) + ids(late.read_all())
        clients.close()
        return received

    assert ids_of_bob(0) == ids_of_bob(9)


def test_ids_do_not_tell_how_many_changes_of_others_arrived_with_an_owner_s(clients: Clients) -> None:
    zoe = clients.add(owner="zoe")
    clients.publish(
        *(replace(change(number), owner="zoe" if number % 9 == 0 else "ann") for number in range(28))
    )
    positions = [parse(each) for each in ids(zoe.read_all())]
    numbers = [cursor.position or 0 for cursor in positions if cursor]
    assert [number - numbers[0] for number in numbers] == [0, 1, 2, 3]


def test_a_stream_that_was_the_last_of_its_owner_leaves_nothing(clients: Clients) -> None:
    for jobs in ((), (1,)):
        client = clients.add(*jobs, owner="bob")
        client.stream.close()
    assert clients.hub._audiences == {}


# --- histories ---


def test_memory_has_each_owner_s_changes() -> None:
    hub = Hub(lambda: 0.0, "relay")
    memory = MemoryHistory(hub, clock=lambda: 0)
    memory.remember([anns(1), bobs(2)])
    backlog = run(memory.since("bob", NOW))
    assert backlog is not None
    assert backlog.changes == [bobs(2)]


def test_other_owners_changes_do_not_count_towards_the_limit_of_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("functions.sse_relay.history.memory.MAX_CHANGES", 1)
    memory = MemoryHistory(Hub(lambda: 0.0, "relay"), clock=lambda: 0)
    memory.remember([*(anns(number) for number in range(5)), bobs(10)])
    assert run(memory.since("bob", NOW)) is not None
    assert run(memory.since("ann", NOW)) is None


def test_the_table_is_read_for_one_owner(dynamodb: object) -> None:
    put(dynamodb, *range(2 * SHARDS), owner="ann")
    put(dynamodb, *range(100, 103), owner="bob")

    async def test() -> None:
        table = history(dynamodb)
        for owner, numbers in (("bob", range(100, 103)), ("ann", range(2 * SHARDS)), ("eve", ())):
            backlog = await table.since(owner, NOW)  # at once: the first result must not be reused
            assert backlog is not None
            assert {change.job_id for change in backlog.changes} == {job_id(number) for number in numbers}
            assert {change.owner for change in backlog.changes} <= {owner}

    run(test())


def test_operators_resume_from_the_ring_or_not_at_all() -> None:
    async def test() -> None:
        hub = Hub(lambda: 0.0, "relay")
        memory = MemoryHistory(hub, clock=lambda: 0)
        (event,) = hub.publish([anns(1)])
        memory.remember(hub.publish([bobs(2)]))
        (cursor,) = ids(event.chunk)
        wanted = Subscription(cursor=cursor, owner=OPERATOR)
        assert await read_backlog(hub, memory, wanted, NOW) is not None
        for unknown in (str(NOW), f"{NOW}.another.1", re.sub(r"\.\d+$", "", cursor)):
            assert await read_backlog(hub, memory, replace(wanted, cursor=unknown), NOW) is None
            assert await read_backlog(hub, memory, replace(wanted, cursor=unknown, owner="bob"), NOW)

    run(test())
