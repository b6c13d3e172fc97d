"""The calls of Calo's API that the commands need."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import requests

from calo.errors import CommandError

PAGE_SIZE = 100
TIMEOUT_SECONDS = 30
MAX_TRIES = 5

MAX_CHANGED = 100
"""Jobs that a call with a filter changes at most."""

Job = dict[str, Any]


class Api:
    """The API at `url`. `key` is sent as X-Api-Key, `token` as the caller's token."""

    def __init__(
        self,
        url: str,
        key: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        http: requests.Session | None = None,
        token: str | None = None,
    ) -> None:
        self._url = url
        self._sleep = sleep
        self._http = http or requests.Session()
        if key:
            self._http.headers["X-Api-Key"] = key
        if token:
            self._http.headers["Authorization"] = f"Bearer {token}"

    def jobs(self, status: str, code: str | None = None, owner: str | None = None) -> Iterator[Job]:
        """Yield the jobs with a status, and an error code if it is given, newest first. Raises CommandError.

        They are the caller's, or those of another owner, or of all (`*`), if the caller is an operator.
        """
        query = {"status": status, "pageSize": str(PAGE_SIZE)}
        query |= {name: value for name, value in (("code", code), ("owner", owner)) if value}
        while True:
            page = self._call("GET", "jobs", query)
            yield from page["data"]
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    def retry_jobs(self, code: str | None, limit: int, owner: str | None = None) -> tuple[int, bool]:
        """Retry up to `limit` failed jobs, newest first. Return how many, and whether there may be more.

        Raises CommandError.
        """
        body = {"limit": limit} | ({"code": code} if code else {})
        answer = self._call("POST", "jobs/retry", {"owner": owner} if owner else {}, body)
        return answer["changed"], answer["more"]

    def _call(self, method: str, path: str, query: dict[str, str], body: dict[str, Any] | None = None) -> Any:
        """Return the answer to a call. Make it again after a pause while it is throttled or unavailable.

        Raises CommandError.
        """
        for attempt in range(1, MAX_TRIES + 1):
            try:
                response = self._http.request(
                    method, f"{self._url}/{path}", params=query, json=body, timeout=TIMEOUT_SECONDS
                )
            except requests.RequestException as error:
                raise CommandError(f"{self._url} cannot be reached: {error}") from error
            if response.status_code not in (429, 503) or attempt == MAX_TRIES:
                break
            self._sleep(_retry_after(response, attempt))
        if response.status_code != 200:
            raise CommandError(f"{response.url} responded with {response.status_code}: {response.text}")
        return response.json()


def _retry_after(response: requests.Response, attempt: int) -> float:
    """Return the seconds that the server asks for, or 1, 2, 4… seconds."""
    seconds = response.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else float(2 ** (attempt - 1))
