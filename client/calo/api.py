"""The calls of Calo's API that the commands need."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

import requests

from calo.errors import CommandError

PAGE_SIZE = 100
TIMEOUT_SECONDS = 30
MAX_TRIES = 5

Job = dict[str, Any]
Retried = Literal["retried", "not_failed", "unavailable"]


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

    def jobs(self, status: str, owner: str | None = None) -> Iterator[Job]:
        """Yield the jobs with a status, newest first. Raises CommandError.

        They are the caller's, or those of another owner, or of all (`*`), if the caller is an operator.
        """
        query = {"status": status, "pageSize": str(PAGE_SIZE)} | ({"owner": owner} if owner else {})
        while True:
            response = self._call("GET", "jobs", query)
            if response.status_code != 200:
                raise CommandError(f"{response.url} responded with {response.status_code}: {response.text}")
            page = response.json()
            yield from page["data"]
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    def retry(self, job_id: str) -> Retried:
        """Retry a failed job.

        `not_failed`: its status has changed; `unavailable`: the API did not accept the call.
        """
        response = self._call("POST", f"jobs/{job_id}/retry")
        if response.status_code == 200:
            return "retried"
        return "not_failed" if response.status_code in (404, 409) else "unavailable"

    def _call(self, method: str, path: str, query: dict[str, str] | None = None) -> requests.Response:
        """Make a call, again after a pause while it is throttled or unavailable. Raises CommandError."""
        for attempt in range(1, MAX_TRIES + 1):
            try:
                response = self._http.request(
                    method, f"{self._url}/{path}", params=query, timeout=TIMEOUT_SECONDS
                )
            except requests.RequestException as error:
                raise CommandError(f"{self._url} cannot be reached: {error}") from error
            if response.status_code not in (429, 503) or attempt == MAX_TRIES:
                break
            self._sleep(_retry_after(response, attempt))
        return response


def _retry_after(response: requests.Response, attempt: int) -> float:
    """Return the seconds that the server asks for, or 1, 2, 4… seconds."""
    seconds = response.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else float(2 ** (attempt - 1))
