"""Fetching from the third party, bounded in time, size and destination."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

CHUNK = 64 * 1024
MAX_REDIRECTS = 3


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

    `requests` bounds each read, not their sum, so a slow drip would hold a worker for hours.
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
            if answer.status not in (301, 302, 303, 307, 308) or not location:
                return answer
            url = urljoin(url, location)
        raise requests.TooManyRedirects(f"more than {MAX_REDIRECTS} redirects")

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        by_name = parts.scheme == "https" and parts.netloc in self._hosts
        by_port = parts.scheme in ("http", "https") and ":" in parts.netloc and parts.netloc in self._hosts
        if not (by_name or by_port):
            raise NotAllowed(f"{parts.scheme}://{parts.netloc} is not an allowed address")

    def _get_once(self, url: str, headers: dict[str, str], max_bytes: int, deadline: float) -> Answer:
        left = deadline - self._monotonic()
        if left <= 0:
            raise requests.Timeout("time is up")
        with self._session.get(
            url, headers=headers, timeout=left, stream=True, allow_redirects=False
        ) as response:
            names = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, names, self._read(response, max_bytes, deadline))

    def _read(self, response: requests.Response, max_bytes: int, deadline: float) -> bytes:
        """The body, one receive at a time: a read of a whole chunk would wait for a slow drip to fill it."""
        body = bytearray()
        try:
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                body += chunk
                if len(body) > max_bytes:
                    raise TooLarge(f"more than {max_bytes} bytes")
                if self._monotonic() > deadline:
                    raise requests.Timeout("time is up")
        except HTTPError as error:
            raise requests.ConnectionError(error) from error
        return bytes(body)
