"""A relay with sign-in, its issuer and the keys of tickets."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from functions.common.identity import owner_of
from functions.common.tickets import Key, Ticket, TicketKeys
from functions.common.tokens import TokenSettings, TokenVerifier
from functions.sse_relay.job_change import JobChange
from functions.sse_relay.sign_in import SignIn
from tests.issuer import AUDIENCE, Issuer
from tests.relay.conftest import RunningRelay, change, running

KEY, NEXT, THIRD = ("v1", b"one"), ("v2", b"two"), ("v3", b"three")


@dataclass
class World:
    """An issuer, the keys of tickets, and a relay that trusts both."""

    relay: RunningRelay
    issuer: Issuer
    keys: list[Key]
    ahead: list[int] = field(default_factory=lambda: [0])
    """Milliseconds by which the clock of sign-in is ahead."""

    def owner(self, subject: str) -> str:
        return owner_of(self.issuer.url, subject)

    def change(self, number: int, subject: str, version: int = 1, **fields: Any) -> JobChange:
        return change(number, version, owner=self.owner(subject), updated_at=now_ms(), **fields)

    def bearer(self, subject: str = "ann") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.issuer.token(subject)}"}

    def ticket(self, subject: str = "ann", *, key: Key = KEY, jobs: Sequence[str] | None = None) -> str:
        now = now_ms()
        return Ticket(self.owner(subject), False, jobs, now + 60_000, now + 3_600_000).sign(key)

    async def status(self, headers: dict[str, str] | None = None, query: str = "") -> int:
        """Return the status of the answer. The body of a refusal is a problem."""
        async with httpx.AsyncClient() as client:
            url = f"{self.relay.url}/live{query}"
            async with client.stream("GET", url, headers=headers or {}) as response:
                if response.status_code != 200:
                    await response.aread()
                    assert response.headers["content-type"] == "application/problem+json"
                    assert response.headers["access-control-allow-origin"] == "*"
                    assert response.json()["status"] == response.status_code
                if response.status_code == 401:
                    assert response.headers["www-authenticate"].startswith("Bearer")
                return response.status_code


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def world(*, issuer: Issuer | None = None, tickets: bool = True, **times: Any) -> AsyncIterator[World]:
    issuer = issuer or Issuer()
    keys, ahead = [KEY], [0]
    ticket_keys = TicketKeys(lambda: list(keys), lambda: now_ms() + ahead[0])
    tokens = TokenVerifier(TokenSettings(issuer.url, AUDIENCE), issuer.fetch)
    sign_in = SignIn(tokens, ticket_keys if tickets else None)
    async with running(sign_in=sign_in, **times) as relay:
        yield World(relay, issuer, keys, ahead)
