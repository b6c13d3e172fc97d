"""Receivers of webhooks that are slow or dead must not keep senders from calling the others.

A request that takes more than two seconds is slow. After ten slow ones in a row a receiver gets one request
at a time, and after a failure the next one a minute later. So it occupies one sender at most. Its other
notices wait, which is not an attempt. A fast answer, also an error, ends this.
"""

import hashlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from functions.common.attributes import from_item
from functions.common.job import Job
from functions.common.table import Items

SLOW_SECONDS = 2
SLOW_LIMIT = 10
"""Slow requests in a row after which a receiver gets one request at a time."""
REQUEST_MS = 20_000
"""How long a request may take, and some more: after that, a sender that has not reported has crashed."""
PAUSE_MS = 60_000
FORGET_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Receiver:
    """A receiver as it is asked now. `wait_until` is epoch ms, or None if it may be asked."""

    name: str
    slow: int
    wait_until: int | None = None


def receiver_name(job: Job) -> str:
    """Return the name of a job's receiver. An owner's failures do not affect another with the same host."""
    host = urlsplit(job.notify or "").netloc
    return hashlib.sha256(f"{job.owner}\n{host}".encode()).hexdigest()[:32]


class Receivers:
    """The items with the prefix `receiver#` in the ledger. Every method may raise botocore's errors."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def admit(self, name: str, now: int) -> Receiver:
        """Return whether a receiver may be asked now. If it is slow, no other sender may until the report."""
        item = self._items.get(name)
        values = {} if item is None else from_item(item)
        slow = values.get("slow", 0)
        if slow < SLOW_LIMIT:
            return Receiver(name, slow)
        condition = "busy_until <= :now"
        times = {":until": now + REQUEST_MS, ":now": now}
        if self._items.update(name, "SET busy_until = :until", condition, times) is not None:
            return Receiver(name, slow)
        return Receiver(name, slow, wait_until=max(now, values["busy_until"]))

    def report(self, receiver: Receiver, seconds: float, *, failed: bool, now: int) -> None:
        """Record how long a request took."""
        if seconds >= SLOW_SECONDS:
            update = "SET busy_until = :until, expires_at = :expires_at ADD slow :one"
            until = now + PAUSE_MS if failed else now
            values = {":until": until, ":expires_at": now // 1000 + FORGET_SECONDS, ":one": 1}
            self._items.update(
                receiver.name, update, "attribute_not_exists(pk) OR slow >= :zero", {**values, ":zero": 0}
            )
        elif receiver.slow:
            self._items.update(receiver.name, "SET slow = :zero", "slow > :zero", {":zero": 0})
