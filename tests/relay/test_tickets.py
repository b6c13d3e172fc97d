"""`GET /live?ticket=`: for clients that cannot send headers. Over real sockets."""

import asyncio

import pytest

from functions.common.tickets import KEYS_MAX_AGE, Ticket
from tests.relay.clients import read, versions
from tests.relay.conftest import job_id, run
from tests.relay.signed_in import KEY, NEXT, THIRD, now_ms, world


def test_a_ticket_opens_a_stream_of_its_owner_s_jobs() -> None:
    async def test() -> None:
        async with world() as calo:
            reader = asyncio.create_task(read(calo.relay, 1, ticket=calo.ticket("bob")))
            await calo.relay.streams(1)
            calo.relay.publish(calo.change(1, "ann"), calo.change(2, "bob"))
            assert versions(await reader) == [(job_id(2), 1)]

    run(test())


def test_a_ticket_of_an_operator_is_one_for_all_jobs() -> None:
    async def test() -> None:
        async with world() as calo:
            ticket = Ticket("olga", True, None, now_ms() + 60_000, now_ms() + 60_000).sign(KEY)
            reader = asyncio.create_task(read(calo.relay, 1, ticket=ticket))
            await calo.relay.streams(1)
            calo.relay.publish(calo.change(1, "ann"))
            assert versions(await reader) == [(job_id(1), 1)]

    run(test())


def test_a_ticket_may_name_jobs() -> None:
    """The stream is of these, or of some of them. Naming another owner's job reveals nothing."""

    async def test() -> None:
        async with world() as calo:
            calo.relay.history.jobs = {
                job_id(1): calo.change(1, "bob"),
                job_id(2): calo.change(2, "ann"),
                job_id(3): calo.change(3, "bob"),
                job_id(4): calo.change(4, "bob"),
            }
            ticket = calo.ticket("bob", jobs=[job_id(1), job_id(2), job_id(4)])
            mine = await read(calo.relay, 2, ticket=ticket)
            assert sorted(versions(mine)) == [(job_id(1), 1), (job_id(4), 1)]
            assert versions(await read(calo.relay, 1, ticket=ticket, job=job_id(4))) == [(job_id(4), 1)]
            for jobs in (job_id(3), f"{job_id(1)},{job_id(3)}"):
                assert await calo.status(query=f"?ticket={ticket}&job={jobs}") == 403
            await calo.relay.streams(0)
            reader = asyncio.create_task(read(calo.relay, 3, ticket=ticket))
            await calo.relay.streams(1)
            calo.relay.publish(calo.change(3, "bob", 2), calo.change(2, "ann", 2), calo.change(4, "bob", 2))
            assert versions((await reader)[2:]) == [(job_id(4), 2)]

    run(test())


@pytest.mark.parametrize("name", ["empty", "garbage", "expired", "tampered", "of another key", "a token"])
def test_a_bad_ticket_is_refused(name: str) -> None:
    async def test() -> None:
        async with world() as calo:
            good = calo.ticket()
            bad = {
                "empty": "",
                "garbage": "x.y.z",
                "expired": Ticket("ann", False, None, now_ms(), now_ms() + 60_000).sign(KEY),
                "tampered": good[:20] + ("A" if good[20] != "A" else "B") + good[21:],
                "of another key": calo.ticket(key=("v1", b"guessed")),
                "a token": calo.issuer.token(),
            }[name]
            assert await calo.status(query=f"?ticket={bad}") == 401
            assert await calo.status(query=f"?ticket={good}") == 200

    run(test())


def test_a_ticket_is_accepted_after_a_rotation_and_refused_after_two() -> None:
    async def test() -> None:
        async with world() as calo:
            ticket = calo.ticket()
            assert await calo.status(query=f"?ticket={ticket}") == 200
            calo.keys[:] = [NEXT, KEY]
            calo.ahead[0] += KEYS_MAX_AGE
            assert await calo.status(query=f"?ticket={calo.ticket(key=NEXT)}") == 200
            assert await calo.status(query=f"?ticket={ticket}") == 200
            calo.keys[:] = [THIRD, NEXT]
            calo.ahead[0] += KEYS_MAX_AGE
            assert await calo.status(query=f"?ticket={ticket}") == 401
            assert await calo.status(query=f"?ticket={calo.ticket(key=NEXT)}") == 200

    run(test())


def test_a_ticket_and_a_token_at_once_or_two_tickets_are_refused() -> None:
    async def test() -> None:
        async with world() as calo:
            query = f"?ticket={calo.ticket()}"
            assert await calo.status(calo.bearer(), query) == 400
            assert await calo.status(None, f"{query}&ticket={calo.ticket()}") == 400

    run(test())


def test_a_relay_without_a_key_for_tickets_does_not_know_them() -> None:
    async def test() -> None:
        async with world(tickets=False) as calo:
            assert await calo.status(query=f"?ticket={calo.ticket()}") == 400
            assert await calo.status(calo.bearer()) == 200

    run(test())
