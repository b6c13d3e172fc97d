"""The secrets with which webhooks are signed: one for each owner, derived from one master key.

The ledger has only the number of an owner's secret, so reading it reveals no secret
(docs/decisions/0013-webhooks.md).
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from functions.common.attributes import from_item
from functions.common.clock import Clock
from functions.common.errors import Problem
from functions.common.table import Items

OVERLAP_MS = 24 * 3600 * 1000
"""How long the secret before a rotation is still used."""
MAX_ACTIVE = 5
"""Secrets with which one webhook is signed at most."""
KEY_MAX_AGE = 5 * 60 * 1000
"""Milliseconds."""


@dataclass(frozen=True)
class Rotation:
    """An owner's current secret by its number, and the earlier ones that are still used until (epoch ms)."""

    number: int
    until: dict[int, int]


class MasterKey:
    """The master key, fetched when it is first needed and kept for five minutes."""

    def __init__(self, fetch: Callable[[], str], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._key = b""
        self._fetched_at = 0

    def __call__(self) -> bytes:
        """Return the key. Raises botocore's errors."""
        if not self._key or self._clock() - self._fetched_at >= KEY_MAX_AGE:
            self._key, self._fetched_at = self._fetch().encode(), self._clock()
        return self._key


class WebhookSecrets:
    """The items with the prefix `webhook-secret#` in the ledger. Methods may raise botocore's errors."""

    def __init__(self, items: Items, master_key: Callable[[], bytes], clock: Clock) -> None:
        self._items = items
        self._master_key = master_key
        self._clock = clock

    def active(self, owner: str) -> list[str]:
        """Return the secrets with which an owner's webhooks are signed now, the newest first."""
        rotation = self._rotation(owner)
        return [self._derive(owner, number) for number in (rotation.number, *sorted(rotation.until)[::-1])]

    def rotate(self, owner: str) -> list[str]:
        """Replace an owner's secret. Return the active ones. Raises Problem 409 if it was done too often."""
        before = self._rotation(owner)
        if len(before.until) + 1 == MAX_ACTIVE:
            message = f"the secret was replaced {MAX_ACTIVE - 1} times within 24 hours; try again later"
            raise Problem(409, message)
        until = {**before.until, before.number: self._clock() + OVERLAP_MS}
        is_first = before.number == 1
        updated = self._items.update(
            owner,
            "SET #number = :number, #until = :until",
            "attribute_not_exists(pk)" if is_first else "#number = :before",
            {":number": before.number + 1, ":until": {str(number): at for number, at in until.items()}}
            | ({} if is_first else {":before": before.number}),
            names={"#number": "number", "#until": "until"},
        )
        if updated is None:
            raise Problem(409, "the secret was replaced by another call at the same time; get it")
        return self.active(owner)

    def _rotation(self, owner: str) -> Rotation:
        item = self._items.get(owner)
        if item is None:
            return Rotation(1, {})
        values = from_item(item)
        until = {int(number): at for number, at in values["until"].items() if at > self._clock()}
        return Rotation(values["number"], until)

    def _derive(self, owner: str, number: int) -> str:
        content = f"calo webhook secret\n{owner}\n{number}".encode()
        digest = hmac.new(self._master_key(), content, hashlib.sha256).digest()
        return f"whsec_{base64.b64encode(digest).decode()}"
