"""Tickets open a live stream for a client that cannot send headers, such as a browser's EventSource.

A ticket is `<key id>.<content>.<HMAC-SHA256 of both>`. A signed-in caller gets it from `POST /live/tickets`
and sends it in the URL, so it is valid for one minute only. Its key is a version of a secret in Secrets
Manager. The newest version signs, and the one before it is still accepted, so the key can be replaced at any
time.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.clock import Clock, now_ms
from functions.common.observability import logger

TICKET_SECONDS = 60
SIGNING, ACCEPTED = "AWSCURRENT", "AWSPREVIOUS"
"""Stages of the secret's versions. Secrets Manager moves them when a new version is written."""
KEYS_MAX_AGE = 5 * 60 * 1000
REFETCH_INTERVAL = 60 * 1000
"""Milliseconds. Invented key ids must not make us ask Secrets Manager more often."""

Key = tuple[str, bytes]
"""A key with its id."""


class InvalidTicket(Exception):
    """The ticket is refused. The message is for callers and logs, and does not contain the ticket."""


@dataclass(frozen=True)
class Ticket:
    """What a ticket allows: a stream of an owner's jobs, or of all owners' for an operator.

    If `jobs` is not None, only these jobs (ids). Times are epoch ms: the ticket opens streams until
    `expires_at`, and each of them ends when the caller's token expires.
    """

    owner: str
    is_operator: bool
    jobs: Sequence[str] | None
    expires_at: int
    token_expires_at: int | None

    def sign(self, key: Key) -> str:
        """Return the ticket as text for a URL."""
        key_id, secret = key
        content = base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode().rstrip("=")
        signed = f"{key_id}.{content}"
        return f"{signed}.{_signature(signed, secret)}"


class TicketKeys:
    """The keys by id, the newest first, fetched when they are first needed and kept for five minutes."""

    def __init__(self, fetch: Callable[[], Sequence[Key]], clock: Clock = now_ms) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, bytes] = {}
        self._fetched_at = self._tried_at = 0

    def newest(self) -> Key:
        """Return the key that signs. Raises botocore's errors if it cannot be fetched."""
        self._refresh(next(iter(self._keys), ""))
        return next(iter(self._keys.items()))

    def find(self, key_id: str) -> bytes | None:
        """Return the key with this id, or None. Raises botocore's errors if no key can be fetched."""
        self._refresh(key_id)
        return self._keys.get(key_id)

    def _refresh(self, key_id: str) -> None:
        """Fetch the keys if they are old, or may have been replaced because this one is unknown."""
        now = self._clock()
        is_fresh = key_id in self._keys and now - self._fetched_at < KEYS_MAX_AGE
        if is_fresh or (self._keys and now - self._tried_at < REFETCH_INTERVAL):
            return
        self._tried_at = now
        try:
            self._keys = dict(self._fetch())
            self._fetched_at = now
        except (BotoCoreError, ClientError):
            if not self._keys:
                raise
            logger.exception("ticket keys not fetched")


def read_ticket(text: str, keys: TicketKeys, now: int) -> Ticket:
    """Return a valid ticket (`now` is epoch ms). Raises InvalidTicket, or botocore's errors without keys."""
    signed, _, signature = text.rpartition(".")
    key_id, _, content = signed.partition(".")
    if not (key_id and content and text.isascii()):
        raise InvalidTicket("it is malformed")
    secret = keys.find(key_id)
    if secret is None:
        raise InvalidTicket("it is signed by a key that is not valid any more")
    if not hmac.compare_digest(_signature(signed, secret), signature):
        raise InvalidTicket("its signature is wrong")
    try:
        ticket = Ticket(**json.loads(base64.urlsafe_b64decode(content + "==")))
    except (binascii.Error, ValueError, TypeError) as error:
        raise InvalidTicket("it is of another version") from error
    if ticket.expires_at <= now:
        raise InvalidTicket("it has expired; get a new one")
    return ticket


def fetch_keys(secrets: Any, secret_id: str, stages: Sequence[str]) -> list[Key]:
    """Return the secret's versions of these stages, as far as they exist. Raises botocore's errors."""
    keys = []
    for stage in stages:
        try:
            version = secrets.get_secret_value(SecretId=secret_id, VersionStage=stage)
        except secrets.exceptions.ResourceNotFoundException:
            if stage == SIGNING:
                raise
            continue  # the key has never been replaced
        keys.append((version["VersionId"], version["SecretString"].encode()))
    return keys


def _signature(signed: str, secret: bytes) -> str:
    digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
