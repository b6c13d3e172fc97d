"""Fetching from the third party, bounded in time, size and destination."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

CHUNK = 64 * 1024
MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)


class TooLarge(Exception):
    """The answer is larger than asked for."""


class NotAllowed(Exception):
    """The address, or one that it redirects to, is not on the list."""


@dataclass(frozen=True)
class Answer:
    """Status, headers (names in lower case) and the whole body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Download:
    """GET with a deadline over the whole exchange.

    `hosts` are the `host` or `host:port` that may be asked; a plain `host` must be asked by https,
    since only a named port is a deliberate local or test address.
    """

    def __init__(
        self,
        session: requests.Session,
        hosts: frozenset[str],
        *,
        seconds: float = 10,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._session.mount("http://", _WatchedAdapter())
        self._session.mount("https://", _WatchedAdapter())
        # even of a redirect that it is not to follow, `requests` would read the whole body, and unbounded
        self._session.get_redirect_target = lambda _: None  # type: ignore[method-assign, assignment]
        self._hosts = hosts
        self._seconds = seconds
        self._monotonic = monotonic

    def get(self, url: str, headers: dict[str, str], max_bytes: int) -> Answer:
        """The answer to a GET, after at most three redirects to allowed addresses.

        Raises requests.RequestException (also when time is up), TooLarge, NotAllowed.
        """
        deadline = self._monotonic() + self._seconds
        for _ in range(MAX_REDIRECTS + 1):
            self._check(url)
            answer = self._get_once(url, headers, max_bytes, deadline)
            location = answer.headers.get("location")
            if answer.status not in REDIRECTS or not location:
                return answer
            try:
                url = urljoin(url, location)
            except ValueError as error:
                raise NotAllowed("redirected to no address") from error
        raise requests.TooManyRedirects(f"more than {MAX_REDIRECTS} redirects")

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise NotAllowed("no address") from error
        by_name = parts.scheme == "https" and parts.netloc in self._hosts
        by_port = parts.scheme in ("http", "https") and ":" in parts.netloc and parts.netloc in self._hosts
        if not (by_name or by_port):
            raise NotAllowed(f"{parts.scheme}://{parts.netloc} is not an allowed address")

    def _get_once(self, url: str, headers: dict[str, str], max_bytes: int, deadline: float) -> Answer:
        left = deadline - self._monotonic()
        if left <= 0:
            raise requests.Timeout("time is up")
        options: dict[str, Any] = {"timeout": left, "stream": True, "allow_redirects": False}
        with _cut_after(left), self._session.get(url, headers=headers, **options) as response:
            names = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, names, self._read(response, max_bytes))

    def _read(self, response: requests.Response, max_bytes: int) -> bytes:
        body = bytearray()
        try:
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                body += chunk
                if len(body) > max_bytes:
                    raise TooLarge(f"more than {max_bytes} bytes")
        except (HTTPError, OSError) as error:
            raise requests.ConnectionError(error) from error
        return bytes(body)


class _Exchange(threading.local):
    """The exchange that this thread is in."""

    cut: "_Cut | None" = None


class _Cut:
    """Shuts an exchange's socket down, which ends whatever read is waiting on it."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.done = False

    def __call__(self) -> None:
        self.done = True
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


_exchange = _Exchange()


@contextlib.contextmanager
def _cut_after(seconds: float) -> Iterator[None]:
    """Cut this thread's exchange after so many seconds.

    A timeout of `requests` bounds each read, not their sum: a head or a body that comes a byte at a time
    would hold a worker for hours.
    """
    cut = _exchange.cut = _Cut()
    timer = threading.Timer(seconds, cut)
    timer.start()
    try:
        yield
    except (requests.RequestException, TooLarge):
        if cut.done:
            raise requests.Timeout("time is up") from None
        raise
    finally:
        timer.cancel()
        _exchange.cut = None
    if cut.done:  # what has come may be only a part
        raise requests.Timeout("time is up")


class _Watched(HTTPConnection):
    def request(self, *arguments: Any, **options: Any) -> None:
        super().request(*arguments, **options)
        if cut := _exchange.cut:
            cut.socket = self.sock  # the connection may let go of it before the body is read
            if cut.done:
                raise TimeoutError("time was up before the answer")


class _WatchedHTTPS(_Watched, HTTPSConnection):
    pass


class _WatchedPool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _WatchedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class _WatchedAdapter(HTTPAdapter):
    """Tells each exchange which connection it uses."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedHTTPSPool}
