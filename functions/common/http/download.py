"""Requests to strangers, with limits on time, size, hosts and addresses.

A body is complete or an error: it must have a length or be chunked, and it is requested without compression,
because a small compressed body can be large, and a truncated one can look complete.
"""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urljoin

import requests
from urllib3.exceptions import HTTPError

from functions.common.http.destinations import Destinations, NotAllowed
from functions.common.http.exchange import exchange, new_session

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
    """Requests with a deadline (seconds) for the whole exchange. `hosts` and `private`: see Destinations."""

    def __init__(
        self,
        hosts: frozenset[str] | None,
        *,
        private: frozenset[str] = frozenset(),
        seconds: float = 10,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = new_session()
        self._destinations = Destinations(hosts, private)
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
            public_only = self._destinations.require_public(url)
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

    def post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """Return the status of the response to a POST. A redirect is not followed.

        The body of the response is not read, so it may be of any size. Raises requests.RequestException
        (requests.Timeout after the deadline) or NotAllowed.
        """
        public_only = self._destinations.require_public(url)
        headers = {**headers, "Connection": "close"}
        options: dict[str, Any] = {"timeout": self._seconds, "stream": True, "allow_redirects": False}
        with (
            exchange(self._seconds, public_only=public_only),
            self._session.post(url, data=body, headers=headers, **options) as response,
        ):
            return response.status_code

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
