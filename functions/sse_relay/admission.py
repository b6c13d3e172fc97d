"""Decides which connections and streams are accepted."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from functions.common.caller import client_network
from functions.sse_relay.http.request import Refused, Request, client_address

SPARE_CONNECTIONS = 256
"""Connections beyond the streams: clients whose request is being read or refused, health checks."""
RETRY_AFTER_SECONDS = (1, 5)
READ_BURST, READS_PER_SECOND = 5_000, 100
"""Jobs that the streams of one address may name: at once, and per second after that. Each may cost a read."""
MAX_ALLOWANCES = 10_000
"""Addresses that are remembered before those that have recovered are forgotten."""


@dataclass(frozen=True)
class Limits:
    """Limits of streams. `max_per_address` counts the streams of one client address.

    The address is the connection's, with `trusted_proxies` n the nth from the right in X-Forwarded-For, or
    the value of `address_header` (lower case).
    """

    max_streams: int = 10_000
    max_per_address: int = 200
    trusted_proxies: int = 0
    address_header: str = ""


class AddressCounts:
    """Counts by address, and their total."""

    def __init__(self) -> None:
        self.total = 0
        self._counts: dict[str, int] = {}

    def __getitem__(self, address: str) -> int:
        return self._counts.get(address, 0)

    def add(self, address: str) -> None:
        self.total += 1
        self._counts[address] = self._counts.get(address, 0) + 1

    def remove(self, address: str) -> None:
        self.total -= 1
        count = self._counts[address] - 1
        if count:
            self._counts[address] = count
        else:
            del self._counts[address]


class Allowances:
    """An allowance for each address: `burst` units, of which `per_second` return in each second."""

    def __init__(self, burst: float, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._spent: dict[str, tuple[float, float]] = {}
        """How much was spent, and when that was, by address."""

    def take(self, address: str, units: int, now: float) -> bool:
        """Spend units. Return False, and spend nothing, if fewer are available."""
        spent = self._remaining_debt(address, now) + units
        if spent > self._burst:
            return False
        if len(self._spent) >= MAX_ALLOWANCES:
            self._spent = {
                name: debt for name, debt in self._spent.items() if self._remaining_debt(name, now)
            }
        self._spent[address] = (spent, now)
        return True

    def _remaining_debt(self, address: str, now: float) -> float:
        spent, at = self._spent.get(address, (0.0, now))
        return max(0.0, spent - (now - at) * self._per_second)


class Admission:
    """Counts visitors (clients without a stream) by peer and streams by client, and enforces the limits.

    While `draining` no stream is accepted.
    """

    def __init__(self, limits: Limits, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self._limits = limits
        self._uniform = uniform
        self._max_connections = limits.max_streams + SPARE_CONNECTIONS
        self._is_behind_proxy = bool(limits.trusted_proxies or limits.address_header)
        self.visitors = AddressCounts()
        self.streams = AddressCounts()
        self.draining = False
        self._reads = Allowances(burst=READ_BURST, per_second=READS_PER_SECOND)

    @property
    def connections(self) -> int:
        """Return the number of open connections, streams and others."""
        return self.visitors.total + self.streams.total

    def accepts_visitor(self, peer: str) -> bool:
        """Return whether another connection from `peer` is accepted.

        A proxy's connections belong to many clients and are not counted by address.
        """
        if self.connections >= self._max_connections:
            return False
        return self._is_behind_proxy or self.visitors[peer] < self._limits.max_per_address

    def client_address(self, request: Request, peer: str) -> str:
        """Return the address by which the request's stream is counted: see `client_network`.

        If the proxy's header does not contain an address, the proxy itself is counted: otherwise each
        invented text would have its own limits.
        """
        limits = self._limits
        address = client_address(
            request, peer, trusted_proxies=limits.trusted_proxies, address_header=limits.address_header
        )
        return client_network(address) or client_network(peer) or peer

    def check_stream(self, address: str) -> None:
        """Raise Refused if another stream of this client is not accepted."""
        if self.draining:
            raise self._refusal(503, "the relay is being replaced; connect again")
        if self.streams.total >= self._limits.max_streams:
            raise self._refusal(503, "the relay is full; connect again later")
        if self.streams[address] >= self._limits.max_per_address:
            raise self._refusal(429, "too many streams from this address; close some")

    def check_reads(self, address: str, jobs: int, now: float) -> None:
        """Raise Refused if this client makes the relay read too many jobs. `now` is the loop's time."""
        if jobs and not self._reads.take(address, jobs, now):
            raise self._refusal(429, "too many jobs requested from this address; connect again later")

    def _refusal(self, status: int, detail: str) -> Refused:
        seconds = round(self._uniform(*RETRY_AFTER_SECONDS))
        return Refused(status, detail, headers={"Retry-After": str(seconds)})
