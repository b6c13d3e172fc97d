"""`GET /live` with sign-in: who gets a stream, of which jobs, and until when. Over real sockets."""

import asyncio
import io
import threading
import time
from typing import Any

import httpx
import pytest

from functions.common.observability import logger
from functions.common.tickets import Ticket
from functions.sse_relay import sign_in as sign_in_module
from functions.sse_relay.job_change import EXPIRED
from tests.issuer import BAD_TOKENS, Issuer
from tests.relay.clients import read, send_raw, versions
from tests.relay.conftest import NOW, change, job_id, run, running, until
from tests.relay.signed_in import KEY, NEXT, now_ms, world

# --- who gets a stream ---


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_token_opens_a_stream_of_its_owner_s_jobs(scheme: str) -> None:
    async def test() -> None:
        async with world() as calo:
            headers = {"Authorization": f"{scheme} {calo.issuer.token('ann')}"}
            reader = asyncio.create_task(read(calo.relay, 1, headers))
            await calo.relay.streams(1)
            calo.relay.publish(calo.change(1, "bob"), change(2), calo.change(3, "ann"))
            assert versions(await reader) == [(job_id(3), 1)]

    run(test())


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_a_bad_token_is_refused(name: str) -> None:
    async def test() -> None:
        async with world() as calo:
            token = BAD_TOKENS[name](calo.issuer)
            assert await calo.status({"Authorization": f"Bearer {token}"}) == 401
            assert await calo.status(calo.bearer()) == 200

    run(test())


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Basic YTpi", "BearerX", "Bearer a b", "Bearer ü", ","]
)
def test_a_request_without_a_token_is_refused(header: str | None) -> None:
    async def test() -> None:
        async with world() as calo:
            headers = {} if header is None else {"Authorization": header}
            encoded: Any = {name: value.encode("latin-1") for name, value in headers.items()}
            assert await calo.status(encoded) == 401
            for query in (f"?job={job_id(1)}", f"?lastEventId={NOW}"):
                assert await calo.status(encoded, query) == 401
            assert await calo.status(encoded, "?job=x") == 400
            assert calo.relay.history.starts == []

    run(test())


@pytest.mark.parametrize("scheme", ["Basic ", "Token ", ""])
def test_a_token_of_another_scheme_is_refused(scheme: str) -> None:
    async def test() -> None:
        async with world() as calo:
            assert await calo.status({"Authorization": scheme + calo.issuer.token()}) == 401

    run(test())


def test_two_tokens_are_refused() -> None:
    async def test() -> None:
        async with world() as calo:
            header = f"Authorization: Bearer {calo.issuer.token()}\r\n"
            request = f"GET /live HTTP/1.1\r\nHost: x\r\n{2 * header}\r\n"
            reader, writer = await send_raw(calo.relay, request.encode())
            assert b" 401 " in await reader.readline()
            writer.close()

    run(test())


def test_head_and_the_gateway_s_path_need_a_token_and_health_does_not() -> None:
    async def test() -> None:
        async with world() as calo, httpx.AsyncClient(base_url=calo.relay.url) as client:
            for path in ("/live", "/api/live"):
                assert (await client.head(path)).status_code == 401
                assert (await client.head(path, headers=calo.bearer())).status_code == 200
                assert (await client.get(path)).status_code == 401
                assert (await client.options(path)).status_code == 204
            for path in ("/healthz", "/metrics"):
                assert (await client.get(path)).status_code == 200

    run(test())


def test_without_sign_in_nobody_needs_a_token_and_a_ticket_is_an_unknown_parameter() -> None:
    async def test() -> None:
        async with running() as relay, httpx.AsyncClient() as client:
            headers = {"Authorization": "Bearer garbage"}
            reader = asyncio.create_task(read(relay, 1, headers))
            await relay.streams(1)
            relay.publish(change(1))
            assert versions(await reader) == [(job_id(1), 1)]
            response = await client.get(f"{relay.url}/live?ticket=x")
            assert response.status_code == 400
            assert response.json()["detail"] == "ticket: is not a parameter; use job or lastEventId"

    run(test())


def test_a_client_may_close_its_side_while_its_token_is_verified() -> None:
    async def test() -> None:
        async with world() as calo:
            request = f"GET /live HTTP/1.0\r\nAuthorization: Bearer {calo.issuer.token()}\r\n\r\n"
            reader, writer = await send_raw(calo.relay, request.encode())
            writer.write_eof()
            await calo.relay.streams(1)
            (event,) = calo.relay.publish(calo.change(1, "ann"))
            assert event.to_line() in await reader.readuntil(event.to_line())
            writer.close()

    run(test())


# --- keys that have to be fetched ---


def test_the_relay_serves_others_while_the_issuer_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_module, "TIMEOUT_SECONDS", 0.3)
    answers = threading.Event()

    class SlowIssuer(Issuer):
        def fetch(self, url: str) -> Any:
            assert answers.wait(60)
            return super().fetch(url)

    async def test() -> None:
        async with world(issuer=SlowIssuer()) as calo, httpx.AsyncClient() as client:
            waiting = asyncio.create_task(calo.status(calo.bearer()))
            reader = asyncio.create_task(read(calo.relay, 1, ticket=calo.ticket()))
            await calo.relay.streams(1)
            calo.relay.publish(calo.change(1, "ann"))
            assert len(await reader) == 1
            assert not waiting.done()
            assert (await client.get(f"{calo.relay.url}/healthz")).status_code == 200
            assert await waiting == 503
            answers.set()
            await until(lambda: len(calo.issuer.fetched) == 2)
            assert await calo.status(calo.bearer()) == 200

    try:
        run(test())
    finally:
        answers.set()


def test_an_issuer_that_cannot_be_reached_is_not_the_caller_s_fault() -> None:
    class Unreachable(Issuer):
        def fetch(self, url: str) -> Any:
            raise OSError(url)

    async def test() -> None:
        async with world(issuer=Unreachable()) as calo, httpx.AsyncClient() as client:
            response = await client.get(f"{calo.relay.url}/live", headers=calo.bearer())
            assert response.status_code == 503
            assert int(response.headers["retry-after"]) >= 1

    run(test())


# --- what they see ---


def test_another_owner_s_thousand_jobs_leave_no_byte_in_any_stream() -> None:
    """A live stream, one of named jobs, one that resumes, one that is told to resync."""

    async def test() -> None:
        async with world() as calo:
            secret = [calo.change(number, "ann", text=f"secret {number}") for number in range(1000)]
            calo.relay.history.jobs = {each.job_id: each for each in secret}
            calo.relay.history.changed = []
            (seen,) = calo.relay.publish(calo.change(2000, "bob"))
            cursor = seen.chunk.split(b"id: ")[1].split(b"\n")[0].decode()
            named = ",".join(job_id(number) for number in (1, 2, 2001))
            cursors = [f"?lastEventId={text}" for text in (cursor, "junk", now_ms())]
            queries = ["", f"?job={named}", *cursors]
            clients = []
            for query in queries:
                token = calo.issuer.token("bob")
                request = f"GET /live{query} HTTP/1.0\r\nAuthorization: Bearer {token}\r\n\r\n"
                clients.append(await send_raw(calo.relay, request.encode()))
            await calo.relay.streams(len(queries))
            for each in secret:
                calo.relay.publish(each)
            (last,) = calo.relay.publish(calo.change(2001, "bob"))
            for query, (reader, writer) in zip(queries, clients, strict=True):
                received = await reader.readuntil(last.to_line())
                assert b"secret" not in received
                assert received.count(b"data: ") == (2 if "junk" in query else 1)
                writer.close()
            events = await read(calo.relay, 1, calo.bearer("bob"), lastEventId=cursor)
            assert versions(events) == [(job_id(2001), 1)]

    run(test())


def test_operators_see_everything_and_are_told_to_resync_if_the_ring_has_not_their_cursor() -> None:
    async def test() -> None:
        async with world() as calo:
            headers = {"Authorization": f"Bearer {calo.issuer.operator_token()}"}
            calo.relay.history.jobs = {job_id(7): calo.change(7, "ann", 3)}
            (named,) = await read(calo.relay, 1, headers, job=job_id(7))
            assert versions([named]) == [(job_id(7), 3)]
            await calo.relay.streams(0)
            reader = asyncio.create_task(read(calo.relay, 2, headers))
            await calo.relay.streams(1)
            calo.relay.publish(calo.change(1, "ann"), calo.change(2, "bob"))
            events = await reader
            assert versions(events) == [(job_id(1), 1), (job_id(2), 1)]
            resumed = await read(calo.relay, 1, headers, lastEventId=events[0].id)
            assert versions(resumed) == [(job_id(2), 1)]
            for cursor in (str(now_ms()), "junk", f"{now_ms()}.another.1"):
                (event,) = await read(calo.relay, 1, headers, lastEventId=cursor)
                assert event.event == "resync"
            assert calo.relay.history.starts == []

    run(test())


def test_a_stream_reads_the_history_of_its_owner() -> None:
    async def test() -> None:
        async with world() as calo:
            calo.relay.history.changed = [calo.change(1, "bob")]
            await read(calo.relay, 1, calo.bearer("bob"), lastEventId=str(now_ms()))
            assert calo.relay.history.owners == [calo.owner("bob")]

    run(test())


# --- how a stream ends ---


@pytest.mark.parametrize("with_ticket", [False, True])
def test_a_stream_ends_when_its_token_expires(with_ticket: bool) -> None:
    async def test() -> None:
        async with world() as calo:
            expires_at = int(time.time()) + 2
            owner = calo.owner("ann")
            ticket = Ticket(owner, False, None, now_ms() + 60_000, expires_at * 1000).sign(KEY)
            token = calo.issuer.token("ann", exp=expires_at)
            query, header = (
                (f"?ticket={ticket}", "") if with_ticket else ("", f"Authorization: Bearer {token}\r\n")
            )
            reader, writer = await send_raw(
                calo.relay, f"GET /live{query} HTTP/1.1\r\nHost: x\r\n{header}\r\n".encode()
            )
            received = await reader.read()
            assert received.endswith(EXPIRED + b"0\r\n\r\n")
            assert b": the token has expired\n" in received
            assert expires_at <= time.time() < expires_at + 30
            await calo.relay.streams(0)
            writer.close()

    run(test())


def test_a_stream_whose_token_is_still_valid_ends_without_a_comment() -> None:
    async def test() -> None:
        async with world(lifetime=0.2) as calo:
            request = f"GET /live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {calo.issuer.token()}\r\n\r\n"
            reader, writer = await send_raw(calo.relay, request.encode())
            received = await reader.read()
            assert received.endswith(b"0\r\n\r\n")
            assert b"expired" not in received
            writer.close()

    run(test())


# --- what is written down ---


def test_tokens_and_tickets_are_not_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> tuple[list[str], str]:
        async with world() as calo, httpx.AsyncClient(base_url=calo.relay.url) as client:
            tokens = [make(calo.issuer) for make in BAD_TOKENS.values()] + [calo.issuer.token()]
            tickets = [calo.ticket(), calo.ticket(key=("v1", b"guessed")), calo.ticket(key=NEXT)]
            for token in tokens:
                await calo.status({"Authorization": f"Bearer {token}"})
            for ticket in tickets:
                await calo.status(query=f"?ticket={ticket}")
                await calo.status(calo.bearer(), f"?ticket={ticket}")
                await calo.status(query=f"?{ticket}")
            calo.relay.relay._sign_in._tokens = None  # type: ignore[union-attr]  # an unexpected error
            with pytest.raises(httpx.HTTPError):
                await calo.status({"Authorization": f"Bearer {tokens[-1]}"})
            return [*tokens, *tickets], (await client.get("/metrics")).text

    log = io.StringIO()
    monkeypatch.setattr(logger.handlers[0], "stream", log)
    secrets, metrics = run(test())
    text = log.getvalue() + metrics
    assert "caller not verified" in text
    for secret in secrets:
        for piece in secret.split("."):
            assert len(piece) < 10 or piece not in text
