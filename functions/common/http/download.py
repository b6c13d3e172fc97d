"""Download from strangers, with limits on time, size, hosts and addresses.

A body is complete or an error: it must have a length or be chunked, and it is requested without compression,
because a small compressed body can be large, and a truncated one can look complete.
"""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from functions.common.http.exchange import NotAllowed, exchange, new_session

CHUNK = 64 * 1024
MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)


class ResponseTooLarge(Exception):
    """The response is larger than the limit."""


@dataclass(frozen=True)
class HttpResponse:
    """A response. Header names are in lower case. The body is complete, except with an error status."""

    status: int
    headers: dict[str, str]
    body: bytes


class Download:
    """GET requests with a deadline (seconds) for the whole exchange.

    `hosts` lists the allowed `host` or `host:port`; None allows every host. A plain `host`, and every host
    with None, requires https and a public address. Only an entry with a port may use http and any address,
    because it is a local or test server.
    """

    def __init__(
        self,
        hosts: frozenset[str] | None,
        *,
        seconds: float = 10,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = new_session()
        self._hosts = hosts
        self._seconds = seconds
        self._monotonic = monotonic

    def close(self) -> None:
        """Close the connections that were kept."""
        self._session.close()

    def get(self, url: str, headers: dict[str, str], max_bytes: int) -> HttpResponse:
        """Return the response to a GET, after at most three redirects to allowed hosts.

        Raises requests.RequestException (requests.Timeout after the deadline), ResponseTooLarge or
        NotAllowed.
        """
        body = io.BytesIO()
        response = self.save(url, headers, max_bytes, body)
        return HttpResponse(response.status, response.headers, body.getvalue())

    def save(self, url: str, headers: dict[str, str], max_bytes: int, file: IO[bytes]) -> HttpResponse:
        """Like `get`, but write the body to a file. The body of the returned response is empty."""
        deadline = self._monotonic() + self._seconds
        for _ in range(MAX_REDIRECTS + 1):
            public_only = self._check(url)
            file.seek(0)
            file.truncate()
            response = self._get_once(url, headers, max_bytes, deadline, file, public_only=public_only)
            location = response.headers.get("location")
            if response.status not in REDIRECTS or not location:
                return response
            try:
                url = urljoin(url, location)
            except ValueError as error:
                raise NotAllowed("the redirect is not a valid URL") from error
        raise requests.TooManyRedirects(f"more than {MAX_REDIRECTS} redirects")

    def _check(self, url: str) -> bool:
        """Return whether the address must be public. Raises NotAllowed."""
        try:
            parts = urlsplit(url)
            has_port = parts.port is not None
        except ValueError as error:
            raise NotAllowed("the URL is not valid") from error
        if has_port and self._is_listed(parts) and parts.scheme in ("http", "https"):
            return False
        if parts.scheme == "https" and parts.hostname and (self._hosts is None or self._is_listed(parts)):
            return True
        raise NotAllowed(f"{parts.scheme}://{parts.netloc} is not allowed")

    def _is_listed(self, parts: SplitResult) -> bool:
        return self._hosts is not None and parts.netloc in self._hosts

    def _get_once(
        self,
        url: str,
        headers: dict[str, str],
        max_bytes: int,
        deadline: float,
        file: IO[bytes],
        *,
        public_only: bool,
    ) -> HttpResponse:
        remaining = deadline - self._monotonic()
        if remaining <= 0:
            raise requests.Timeout("the deadline has passed")
        options: dict[str, Any] = {"timeout": remaining, "stream": True, "allow_redirects": False}
        headers = {**headers, "Accept-Encoding": "identity"}
        with (
            exchange(remaining, public_only=public_only),
            self._session.get(url, headers=headers, **options) as response,
        ):
            names = {name.lower(): value for name, value in response.headers.items()}
            if response.status_code < 300:
                _check_completeness(names)
            if response.status_code not in REDIRECTS:
                _copy(response, file, max_bytes)
            return HttpResponse(response.status_code, names, b"")


def _check_completeness(headers: dict[str, str]) -> None:
    """Raise requests.RequestException if a body's end could be missing without an error."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise requests.exceptions.ContentDecodingError("the body is compressed, which was not requested")
    if "content-length" not in headers and "chunked" not in headers.get("transfer-encoding", "").lower():
        raise requests.exceptions.ChunkedEncodingError("the body has no length, so it may be incomplete")


def _copy(response: requests.Response, file: IO[bytes], max_bytes: int) -> None:
    size = 0
    try:
        while chunk := response.raw.read1(CHUNK, decode_content=False):
            size += len(chunk)
            if size > max_bytes:
                raise ResponseTooLarge(f"more than {max_bytes} bytes")
            file.write(chunk)
    except (HTTPError, OSError) as error:
        raise requests.ConnectionError(error) from error
