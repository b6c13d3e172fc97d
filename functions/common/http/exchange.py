"""One exchange with a server: it can be aborted, leaves nothing behind, and may require a public address.

The timeout of `requests` applies to each read, not to their sum. Headers or a body sent one byte at a time
would block a worker for hours.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from functions.common.http.addresses import is_public


class NotAllowed(Exception):
    """The URL, one that it redirects to, or the address of its host is not allowed."""


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
    """The exchange of one thread. Shutting down its socket ends a read that is blocked on it."""

    def __init__(self, *, public_only: bool) -> None:
        self.public_only = public_only
        self.socket: socket.socket | None = None
        self.is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


class _Current(threading.local):
    exchange: _Exchange | None = None


_current = _Current()


@contextlib.contextmanager
def exchange(seconds: float, *, public_only: bool) -> Iterator[None]:
    """Abort the exchange of the current thread after a time. With `public_only`, refuse other addresses.

    Raises requests.Timeout if it was aborted, and NotAllowed.
    """
    exchange = _current.exchange = _Exchange(public_only=public_only)
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
        """Check the address that is connected to: a name may resolve to another one each time."""
        connected = super()._new_conn()
        if _current.exchange and _current.exchange.public_only:
            _check_address(connected)
        return connected


def _check_address(connected: socket.socket) -> None:
    address = str(connected.getpeername()[0])
    if not is_public(address):
        connected.close()
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
