"""Viewers on an unreliable network: they lose their streams, reconnect, and must reach the correct state."""

import json
import random
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
from httpx_sse import ServerSentEvent, connect_sse

JobJson = dict[str, Any]
FINAL = ("resolved", "error", "cancelled")
STAY_SECONDS = (1.0, 6.0)


class Viewer:
    """Maintains a view of jobs from the live stream only, and from the list after a `resync` event.

    `get_ids` returns the IDs of the jobs to subscribe to; without it the viewer reads the whole feed.
    `breaches` describes each violation of the stream's guarantees.
    """

    def __init__(self, url: str, seed: int, get_ids: Callable[[], list[str]] | None = None) -> None:
        self._url = url
        self._random = random.Random(seed)
        self._get_ids = get_ids
        self._cursor = ""
        self._stopping = threading.Event()
        self._response: httpx.Response | None = None
        self.view: dict[str, JobJson] = {}
        self.breaches: list[str] = []
        self.streams = self.drops = self.resyncs = self.events = 0
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        if self._get_ids is None:
            self._refetch()
        self.thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._cut()
        self.thread.join(10)

    def _run(self) -> None:
        while not self._stopping.is_set():
            job_ids = self._get_ids() if self._get_ids else None
            if job_ids == []:
                self._stopping.wait(0.2)
                continue
            query = {"lastEventId": self._cursor} if job_ids is None else {"job": ",".join(job_ids)}
            try:
                self._watch(query)
            except (httpx.HTTPError, ValueError, RuntimeError):
                self.drops += 1
                self._stopping.wait(self._random.uniform(0.05, 0.5))

    def _watch(self, query: dict[str, str]) -> None:
        """Read one stream until it is cut, which happens after STAY_SECONDS at the latest."""
        newest: dict[str, int] = {}
        with httpx.Client(timeout=httpx.Timeout(5, read=20)) as client:
            cut = threading.Timer(self._random.uniform(*STAY_SECONDS), self._cut)
            cut.start()
            try:
                with connect_sse(client, "GET", f"{self._url}/api/live", params=query) as source:
                    self._response = source.response.raise_for_status()
                    self.streams += 1
                    for event in source.iter_sse():
                        self._handle(event, newest)
            finally:
                cut.cancel()

    def _cut(self) -> None:
        """End the stream as a lost network does. Closing the client would not wake the thread that reads."""
        if self._response is not None:
            stream = self._response.extensions["network_stream"]
            with suppress(OSError):  # it has ended already
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def _handle(self, event: ServerSentEvent, newest: dict[str, int]) -> None:
        if event.event == "resync":
            self.resyncs += 1
            self._refetch()
        elif event.data:
            self.events += 1
            job: JobJson = json.loads(event.data)
            if job["version"] < newest.get(job["id"], 0):
                self.breaches.append(f"{job['id']}: an older version followed a newer one on a stream")
            newest[job["id"]] = job["version"]
            self._merge(job)
            self._cursor = event.id

    def _merge(self, job: JobJson) -> None:
        current = self.view.get(job["id"])
        if current is None or job["version"] > current["version"]:
            self.view[job["id"]] = job
        elif job["version"] == current["version"] and job != current:
            self.breaches.append(f"{job['id']}: two different copies of version {job['version']}")

    def _refetch(self) -> None:
        """Read the whole list page by page. The stream resumes from the cursor of its first page."""
        cursor, live_cursor = "", ""
        with httpx.Client(timeout=20) as client:
            while True:
                query = {"pageSize": "100", **({"cursor": cursor} if cursor else {})}
                page = client.get(f"{self._url}/api/jobs", params=query).raise_for_status().json()
                live_cursor = live_cursor or page["live_cursor"]
                for job in page["data"]:
                    self._merge(job)
                cursor = page["next_cursor"]
                if not cursor:
                    break
        self._cursor = live_cursor
