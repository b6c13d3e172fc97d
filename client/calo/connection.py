"""HTTP to the API: where it is, and calls that are repeated when that can help."""

import asyncio
import os
import random
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from calo.errors import CaloError, InvalidRequest, JobNotFound, NotSignedIn, Unreachable
from calo.local_run import local_runs

LOCAL_URL = "http://localhost:8080"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
TRIES = 5
FIRST_PAUSE = 0.3
"""Seconds before the second try. Each further pause is twice as long."""
MAX_PAUSE = 10.0
REQUEST_SECONDS = 30.0
AGAIN = (429, 500, 502, 503, 504)
"""Statuses after which the same request may succeed."""


def find_url(url: str | None = None) -> str:
    """Return the URL of the API: as given, in CALO_URL, or of the local run. It ends with `/api`.

    Raises CaloError if it is not a URL.
    """
    given = url or os.environ.get("CALO_URL") or _local_url()
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CaloError(f"the URL must look like https://calo.example.com, not {given!r}")
    path = parts.path.rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, path if path.endswith("/api") else f"{path}/api", "", ""))


def _local_url() -> str:
    runs = local_runs()
    return runs[0].url if runs else LOCAL_URL


class Connection:
    """A connection to the API at `url`. Use it in one event loop, and close it.

    `transport` replaces the network, for tests.
    """

    def __init__(self, url: str, token: str | None, *, key: str | None = None, transport: Any = None) -> None:
        self.url = url
        headers = {"User-Agent": "calo-client", "Accept": "application/json"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"X-Api-Key": key} if key else {}
        # proxies of the environment cannot reach this machine's own ports
        trust_env = urlsplit(url).hostname not in LOOPBACK
        self.http = httpx.AsyncClient(
            headers=headers, timeout=REQUEST_SECONDS, trust_env=trust_env, transport=transport
        )

    async def close(self) -> None:
        await self.http.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Make a call that may be repeated, and return its JSON. Raises CaloError."""
        reason = ""
        for attempt in range(TRIES):
            pause = backoff(attempt)
            try:
                response = await self.http.request(
                    method, self.url + path, params=dict(query or {}), json=body, headers=dict(headers or {})
                )
            except httpx.TransportError as error:
                reason = str(error) or type(error).__name__
            except (httpx.InvalidURL, httpx.HTTPError) as error:
                raise CaloError(f"{self.url}: {error}") from error
            else:
                if response.status_code not in AGAIN:
                    return _json(response, self.url)
                reason = f"status {response.status_code}"
                pause = retry_after(response) or pause
            if attempt + 1 < TRIES:
                await asyncio.sleep(pause)
        raise Unreachable(f"{self.url} cannot be reached: {reason}")


def backoff(attempt: int) -> float:
    """Return the seconds before the next try, spread at random so that clients do not return together."""
    return float(min(MAX_PAUSE, FIRST_PAUSE * 2**attempt)) * random.uniform(0.5, 1.5)


def retry_after(response: httpx.Response) -> float | None:
    """Return for how many seconds the server asks to wait, if it does."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), REQUEST_SECONDS) if text.isdecimal() else None


def problem_of(response: httpx.Response) -> InvalidRequest:
    """Return the error for a response with status 4xx."""
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    errors = {401: NotSignedIn, 404: JobNotFound}
    return errors.get(response.status_code, InvalidRequest)(problem, response.status_code)


def _json(response: httpx.Response, url: str) -> Any:
    if 400 <= response.status_code < 500:
        raise problem_of(response)
    if response.status_code == 204:
        return None
    try:
        return response.json()
    except ValueError:
        raise Unreachable(f"{url} is not the URL of a Calo API: its answer is not JSON") from None
