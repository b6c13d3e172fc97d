"""Browsers over a bad network: they drop their streams, come back, and must end up right."""

import json
import random
import threading
from collections.abc import Callable
from typing import Any

import httpx
from httpx_sse import ServerSentEvent, connect_sse

JobJson = dict[str, Any]
FINAL = ("resolved", "error", "cancelled")
STAY_SECONDS = (1.0, 6.0)


class Viewer:
    """Keeps a view of jobs from the live stream alone (and the list, when told to resync).

    `wanted` gives the ids to name, or None for the whole feed. What must never happen is kept in
    `breaches`.
    """

    def __init__(self, url: str, seed: int, wanted: Callable[[], list[str]] | None = None) -> None:
        self._url = url
        self._random = random.Random(seed)
        self._wanted = wanted
        self._cursor = ""
        self._stopping = threading.Event()
        self._client: httpx.Client | None = None
        self.view: dict[str, JobJson] = {}
        self.breaches: list[str] = []
        self.streams = self.drops = self.resyncs = self.events = 0
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        if self._wanted is None:
            self._refetch()
        self.thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._client is not None:
            self._client.close()
        self.thread.join(10)

    def _run(self) -> None:
        while not self._stopping.is_set():
            named = self._wanted() if self._wanted else None
            if named == []:
                self._stopping.wait(0.2)
                continue
            query = {"lastEventId": self._cursor} if named is None else {"job": ",".join(named)}
            try:
                self._watch(query)
            except (httpx.HTTPError, ValueError, RuntimeError):
                self.drops += 1
                self._stopping.wait(self._random.uniform(0.05, 0.5))

    def _watch(self, query: dict[str, str]) -> None:
        """One stream, for as long as the network holds."""
        newest: dict[str, int] = {}
        with httpx.Client(timeout=httpx.Timeout(5, read=20)) as client:
            self._client = client
            cut = threading.Timer(self._random.uniform(*STAY_SECONDS), client.close)
            cut.start()
            try:
                with connect_sse(client, "GET", f"{self._url}/api/live", params=query) as source:
                    source.response.raise_for_status()
                    self.streams += 1
                    for event in source.iter_sse():
                        self._take(event, newest)
            finally:
                cut.cancel()

    def _take(self, event: ServerSentEvent, newest: dict[str, int]) -> None:
        if event.event == "resync":
            self.resyncs += 1
            self._refetch()
        elif event.data:
            self.events += 1
            job: JobJson = json.loads(event.data)
            if job["version"] < newest.get(job["id"], 0):
                self.breaches.append(f"{job['id']} went backwards on one stream")
            newest[job["id"]] = job["version"]
            self._show(job)
            self._cursor = event.id

    def _show(self, job: JobJson) -> None:
        known = self.view.get(job["id"])
        if known is None or job["version"] > known["version"]:
            self.view[job["id"]] = job
        elif job["version"] == known["version"] and job != known:
            self.breaches.append(f"{job['id']} has two forms of version {job['version']}")

    def _refetch(self) -> None:
        """The whole list, page by page; the stream goes on from before its first page."""
        cursor, live_cursor = "", ""
        with httpx.Client(timeout=20) as client:
            while True:
                query = {"pageSize": "100", **({"cursor": cursor} if cursor else {})}
                page = client.get(f"{self._url}/api/jobs", params=query).raise_for_status().json()
                live_cursor = live_cursor or page["live_cursor"]
                for job in page["data"]:
                    self._show(job)
                cursor = page["next_cursor"]
                if not cursor:
                    break
        self._cursor = live_cursor
