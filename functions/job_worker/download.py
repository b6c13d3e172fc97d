"""Download from the third party, with limits on time, size and hosts."""

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


class ResponseTooLarge(Exception):
    """The response is larger than the limit."""


class HostNotAllowed(Exception):
    """The URL, or one that it redirects to, is not on an allowed host."""


@dataclass(frozen=True)
class HttpResponse:
    """A response. Header names are in lower case. The body is complete."""

    status: int
    headers: dict[str, str]
    body: bytes


class Download:
    """GET requests with a deadline for the whole exchange.

    `hosts` lists the allowed `host` or `host:port`. A plain `host` requires https. Only an entry with a port
    may use http, because it is a local or test server.
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
        self._session.mount("http://", _AbortableAdapter())
        self._session.mount("https://", _AbortableAdapter())
        # `requests` would read the whole body of a redirect, without a limit, even if it must not follow it
        self._session.get_redirect_target = lambda _: None  # type: ignore[method-assign, assignment]
        self._hosts = hosts
        self._seconds = seconds
        self._monotonic = monotonic

    def get(self, url: str, headers: dict[str, str], max_bytes: int) -> HttpResponse:
        """Return the response to a GET, after at most three redirects to allowed hosts.

        Raises requests.RequestException (requests.Timeout after the deadline), ResponseTooLarge or
        HostNotAllowed.
        """
        deadline = self._monotonic() + self._seconds
        for _ in range(MAX_REDIRECTS + 1):
            self._check(url)
            response = self._get_once(url, headers, max_bytes, deadline)
            location = response.headers.get("location")
            if response.status not in REDIRECTS or not location:
                return response
            try:
                url = urljoin(url, location)
            except ValueError as error:
                raise HostNotAllowed("the redirect is not a valid URL") from error
        raise requests.TooManyRedirects(f"more than {MAX_REDIRECTS} redirects")

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise HostNotAllowed("the URL is not valid") from error
        https_allowed = parts.scheme == "https" and parts.netloc in self._hosts
        port_allowed = (
            parts.scheme in ("http", "https") and ":" in parts.netloc and parts.netloc in self._hosts
        )
        if not (https_allowed or port_allowed):
            raise HostNotAllowed(f"{parts.scheme}://{parts.netloc} is not allowed")

    def _get_once(self, url: str, headers: dict[str, str], max_bytes: int, deadline: float) -> HttpResponse:
        remaining = deadline - self._monotonic()
        if remaining <= 0:
            raise requests.Timeout("the deadline has passed")
        options: dict[str, Any] = {"timeout": remaining, "stream": True, "allow_redirects": False}
        with _abort_after(remaining), self._session.get(url, headers=headers, **options) as response:
            names = {name.lower(): value for name, value in response.headers.items()}
            return HttpResponse(response.status_code, names, self._read(response, max_bytes))

    def _read(self, response: requests.Response, max_bytes: int) -> bytes:
        body = bytearray()
        try:
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                body += chunk
                if len(body) > max_bytes:
                    raise ResponseTooLarge(f"more than {max_bytes} bytes")
        except (HTTPError, OSError) as error:
            raise requests.ConnectionError(error) from error
        return bytes(body)


class _CurrentExchange(threading.local):
    """The exchange of the current thread."""

    abort: "_Abort | None" = None


class _Abort:
    """Shuts down an exchange's socket. A read that is blocked on it then returns."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.done = False

    def __call__(self) -> None:
        self.done = True
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


_current = _CurrentExchange()


@contextlib.contextmanager
def _abort_after(seconds: float) -> Iterator[None]:
    """Abort the current thread's exchange after a time.

    The timeout of `requests` applies to each read, not to their sum. Headers or a body sent one byte at a
    time would block a worker for hours.
    """
    abort = _current.abort = _Abort()
    timer = threading.Timer(seconds, abort)
    timer.start()
    try:
        yield
    except (requests.RequestException, ResponseTooLarge):
        if abort.done:
            raise requests.Timeout("the deadline has passed") from None
        raise
    finally:
        timer.cancel()
        _current.abort = None
    if abort.done:  # the response may be incomplete
        raise requests.Timeout("the deadline has passed")


class _AbortableConnection(HTTPConnection):
    def request(self, *arguments: Any, **options: Any) -> None:
        super().request(*arguments, **options)
        if abort := _current.abort:
            abort.socket = self.sock  # the connection may release it before the body is read
            if abort.done:
                raise TimeoutError("the deadline passed before the response")


class _AbortableHTTPSConnection(_AbortableConnection, HTTPSConnection):
    pass


class _AbortablePool(HTTPConnectionPool):
    ConnectionCls = _AbortableConnection


class _AbortableHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _AbortableHTTPSConnection


class _AbortableAdapter(HTTPAdapter):
    """Records each exchange's socket, so that the exchange can be aborted."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _AbortablePool, "https": _AbortableHTTPSPool}
