"""Who opens a stream, if callers sign in: the header `Authorization: Bearer <token>`, or `?ticket=`."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from functions.common.clock import Clock, now_ms
from functions.common.observability import logger
from functions.common.settings import load
from functions.common.tickets import (
    ACCEPTED,
    SIGNING,
    InvalidTicket,
    Ticket,
    TicketKeys,
    fetch_keys,
    read_ticket,
)
from functions.common.tokens import InvalidToken, KeysUnavailable, TokenSettings, TokenVerifier
from functions.sse_relay.http.request import Refused, Request
from functions.sse_relay.subscription import PARAMETERS, Subscription, parse_subscription

THREADS = 16
"""An issuer that does not answer may occupy some of them for ten seconds each."""
TIMEOUT_SECONDS = 5.0
"""After this time the client is asked to try again."""
TICKET = "ticket"
INVALID = 'error="invalid_token"'


@dataclass(frozen=True)
class SignInSettings:
    """From the environment. Without `ticket_secret` (its ARN) there are no tickets."""

    ticket_secret: str = ""


class SignIn:
    """Verifies tokens and tickets in threads: keys may have to be fetched, and the event loop must not wait.

    `tickets` is None if there are no tickets.
    """

    def __init__(self, tokens: TokenVerifier, tickets: TicketKeys | None, clock: Clock = now_ms) -> None:
        self._tokens = tokens
        self._tickets = tickets
        self._clock = clock
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="sign-in")

    async def prepare(self) -> None:
        """Fetch the issuer's keys before the first client needs them, if possible."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._tokens.keys.fetch)
        except KeysUnavailable as error:
            logger.warning("issuer's keys not fetched", extra={"reason": str(error)})

    async def subscribe(self, request: Request) -> Subscription:
        """Return what the request asks for, limited to what its sender may see. Raises Refused."""
        wanted = parse_subscription(request, (*PARAMETERS, TICKET) if self._tickets else PARAMETERS)
        verifying = asyncio.get_running_loop().run_in_executor(self._pool, self._limit, wanted, request)
        try:
            return await asyncio.wait_for(verifying, TIMEOUT_SECONDS)
        except InvalidToken as error:
            raise _unauthorized("the token is not valid; sign in again", INVALID) from error
        except InvalidTicket as error:
            raise _unauthorized(f"the ticket is not valid: {error}", INVALID) from error
        except (KeysUnavailable, BotoCoreError, ClientError, TimeoutError) as error:
            logger.error("caller not verified", extra={"reason": repr(error)})
            detail = "callers cannot be verified at the moment; connect again later"
            raise Refused(503, detail, headers={"Retry-After": "1"}) from error

    def _limit(self, wanted: Subscription, request: Request) -> Subscription:
        header, tickets = request.headers.get("authorization"), request.query.get(TICKET, [])
        if tickets and (header is not None or len(tickets) > 1):
            raise Refused(400, "send one ticket, or the header Authorization, but not both", field=TICKET)
        if self._tickets and tickets:
            return _limit_by(read_ticket(tickets[0], self._tickets, self._clock()), wanted)
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer":
            raise _unauthorized("send the header Authorization: Bearer <token>", "")
        identity = self._tokens.verify(token.strip())
        return replace(wanted, owner=identity.only_owner, expires_at=identity.expires_at)


def _limit_by(ticket: Ticket, wanted: Subscription) -> Subscription:
    """Return the subscription of a ticket's owner. Raises Refused for jobs that the ticket does not name."""
    jobs = wanted.jobs
    if ticket.jobs is not None:
        jobs = frozenset(ticket.jobs) if jobs is None else jobs
        if not jobs <= frozenset(ticket.jobs):
            raise Refused(403, "job: the ticket is for other jobs; get one for these", field="job")
    owner = None if ticket.is_operator else ticket.owner
    return replace(wanted, jobs=jobs, owner=owner, expires_at=ticket.token_expires_at)


def _unauthorized(detail: str, error: str) -> Refused:
    """Return a refusal as in RFC 6750, https://www.rfc-editor.org/rfc/rfc6750#section-3"""
    return Refused(401, detail, headers={"WWW-Authenticate": f"Bearer {error}".strip()})


def open_sign_in(environment: Mapping[str, str]) -> SignIn:
    """Return what verifies callers, as the environment says."""
    secret = load(SignInSettings, environment).ticket_secret
    tickets = None
    if secret:
        client = boto3.client("secretsmanager")
        tickets = TicketKeys(lambda: fetch_keys(client, secret, (SIGNING, ACCEPTED)))
    return SignIn(TokenVerifier(load(TokenSettings, environment)), tickets)
