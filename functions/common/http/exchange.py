"""One exchange with a server: it can be aborted, leaves nothing behind, and may require a public address.

The timeout of `requests` applies to each read, not to their sum. Headers or a body sent one byte at a time
would block a worker for hours.

A name may resolve to another address each time. So an exchange that requires a public address resolves the
name itself, checks every address, and connects to one of these. It connects to no other: the error of a
connection would tell a caller which ports of a private network are open.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from functions.common.http.addresses import is_public
from functions.common.http.destinations import NotAllowed


def new_session() -> requests.Session:
    """Return a session that keeps connections, and nothing else: no cookies, proxies or stored passwords."""
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("http://", _ExchangeAdapter())
    session.mount("https://", _ExchangeAdapter())
    # `requests` would read the whole body of a redirect, without a limit, even if it must not follow it
    session.get_redirect_target = lambda _: None  # type: ignore[method-assign, assignment]
    return session


class _Exchange:
    """The exchange of one thread. Shutting down its socket ends a read that is blocked on it.

    `opened` is a duplicate of the socket of a new connection. It works also while TLS is being negotiated.
    """

    def __init__(self, seconds: float, *, public_only: bool) -> None:
        self._ends_at = time.monotonic() + seconds
        self.public_only = public_only
        self.opened: socket.socket | None = None
        self.socket: socket.socket | None = None
        self.is_aborted = False

    def remaining(self) -> float:
        """Return the seconds that remain. They are more than zero, which would mean no limit."""
        return max(0.001, self._ends_at - time.monotonic())

    def abort(self) -> None:
        self.is_aborted = True
        for connected in (self.opened, self.socket):
            if connected is not None:
                with contextlib.suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)


class _Current(threading.local):
    exchange: _Exchange | None = None


_current = _Current()


@contextlib.contextmanager
def exchange(seconds: float, *, public_only: bool) -> Iterator[None]:
    """Abort the exchange of the current thread after a time. With `public_only`, refuse other addresses.

    Raises requests.Timeout if it was aborted, and NotAllowed.
    """
    exchange = _current.exchange = _Exchange(seconds, public_only=public_only)
    timer = threading.Timer(seconds, exchange.abort)
    timer.start()
    try:
        yield
    except Exception:
        if exchange.is_aborted:
            raise requests.Timeout("the deadline has passed") from None
        raise
    finally:
        timer.cancel()
        _current.exchange = None
        if exchange.opened is not None:
            exchange.opened.close()
    if exchange.is_aborted:  # the response may be incomplete
        raise requests.Timeout("the deadline has passed")


class _ExchangeConnection(HTTPConnection):
    def request(self, *arguments: Any, **options: Any) -> None:
        exchange = _current.exchange
        if exchange and exchange.public_only and self.sock is not None:  # a connection that was kept
            _check_address(self.sock)
        super().request(*arguments, **options)
        if exchange:
            exchange.socket = self.sock  # the connection may release it before the body is read
            if exchange.is_aborted:
                raise TimeoutError("the deadline passed before the response")

    def _new_conn(self) -> socket.socket:
        exchange = _current.exchange
        if exchange is None:
            return super()._new_conn()
        connected = self._connect_publicly(exchange) if exchange.public_only else super()._new_conn()
        exchange.opened = connected.dup()
        return connected

    def _connect_publicly(self, exchange: _Exchange) -> socket.socket:
        """Connect to one of the host's addresses, which are all public."""
        name, failure = self._dns_host, None
        try:
            for address in _public_addresses(name, self.port, exchange.remaining()):
                self._dns_host, self.timeout = address, exchange.remaining()
                try:
                    return super()._new_conn()
                except (NewConnectionError, ConnectTimeoutError) as error:
                    failure = error
        finally:
            self._dns_host = name
        raise failure or NewConnectionError(self, f"{name} has no address")


def _public_addresses(name: str, port: int, seconds: float) -> list[str]:
    """Resolve a name. Raises NotAllowed if one of its addresses is not public, OSError if there is none.

    Nothing can interrupt the resolver, so it has its own thread, which is left behind after `seconds`.
    """
    resolved: Future[list[Any]] = Future()

    def resolve() -> None:
        try:
            resolved.set_result(socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
        except Exception as error:  # noqa: BLE001  # it is raised in the other thread
            resolved.set_exception(error)

    threading.Thread(target=resolve, daemon=True).start()
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in resolved.result(seconds)))
    for address in addresses:
        _require_public(address)
    return addresses


def _check_address(connected: socket.socket) -> None:
    address = str(connected.getpeername()[0])
    try:
        _require_public(address)
    except NotAllowed:
        connected.close()
        raise


def _require_public(address: str) -> None:
    if not is_public(address):
        raise NotAllowed(f"{address} is not a public address")


class _ExchangeHTTPSConnection(_ExchangeConnection, HTTPSConnection):
    pass


class _ExchangePool(HTTPConnectionPool):
    ConnectionCls = _ExchangeConnection


class _ExchangeHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _ExchangeHTTPSConnection


class _ExchangeAdapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _ExchangePool, "https": _ExchangeHTTPSPool}
