"""API clients that repeat each request until it is answered."""

import random
import threading
import time
import uuid
from collections import Counter
from typing import Any

import httpx

MANY_TIMES = 20
WITH_WEBHOOK = 0.3
WAYS = ("none", "permanent", "transient", "waits", "exception", "hangs", "bad_output", "too_large")
"""How jobs of the kind flaky fail (tests/integration/kinds)."""
TOPICS = [f"topic {number}" for number in range(20)]


class Callers:
    """`count` threads that create `jobs` jobs in total.

    With `deaths` some jobs end their worker. Some requests are sent twice, and some jobs are cancelled and
    retried. Some jobs have the webhook `hook`. `accepted` maps idempotency keys to job IDs. `counts` says how
    often each action occurred.
    """

    def __init__(
        self, url: str, seed: int, *, jobs: int, count: int, topics: int, deaths: bool, hook: str
    ) -> None:
        self._url = url
        self._hook = hook
        self._ways = (*WAYS, "dies") if deaths else WAYS
        self._lock = threading.Lock()
        self._topics = TOPICS[:topics]
        self.accepted: dict[str, str] = {}
        self.retried: set[str] = set()
        self.breaches: list[str] = []
        self.counts: Counter[str] = Counter()
        shares = [jobs // count + (number < jobs % count) for number in range(count)]
        self._threads = [
            threading.Thread(target=self._call, args=(random.Random(f"{seed}/{number}"), share), daemon=True)
            for number, share in enumerate(shares)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def ids(self) -> list[str]:
        with self._lock:
            return list(self.accepted.values())

    def _call(self, rng: random.Random, share: int) -> None:
        with httpx.Client(base_url=f"{self._url}/api/", timeout=20) as client:
            remaining = share
            while remaining:
                together = min(remaining, rng.randint(2, 10)) if rng.random() < 0.05 else 1
                ids = (
                    self._post_together(client, rng, together) if together > 1 else [self._post(client, rng)]
                )
                remaining -= together
                for job_id in ids:
                    if rng.random() < 0.03:
                        self._cancel(client, rng, job_id)

    def _post(self, client: httpx.Client, rng: random.Random) -> str:
        key = str(uuid.UUID(int=rng.getrandbits(128)))
        body = self._body(rng)
        ids = {self._request(client, "POST", "jobs", 201, key=key, body=body)["id"]}
        if rng.random() < 0.1:
            self.counts["posted twice"] += 1
            ids.add(self._request(client, "POST", "jobs", 201, key=key, body=body)["id"])
        if rng.random() < 0.02:
            for _ in range(MANY_TIMES):
                self.counts["posted many times"] += 1
                ids.add(self._request(client, "POST", "jobs", 201, key=key, body=body)["id"])
        if len(ids) > 1:
            self.breaches.append(f"{len(ids)} jobs were created with one idempotency key")
        (job_id, *_) = ids
        with self._lock:
            self.accepted[key] = str(job_id)
        return str(job_id)

    def _post_together(self, client: httpx.Client, rng: random.Random, count: int) -> list[str]:
        """Create jobs with one call, which is repeated until every entry is accepted."""
        entries = [{**self._body(rng), "key": str(uuid.UUID(int=rng.getrandbits(128)))} for _ in range(count)]
        deadline = time.monotonic() + 60
        while True:
            results = self._request(client, "POST", "jobs/bulk", 200, body={"jobs": entries})["results"]
            ids = [result["id"] for result in results if "id" in result]
            if len(ids) == count:
                break
            if time.monotonic() > deadline:
                raise RuntimeError(f"entries were refused for 60 seconds: {results}")
            self.counts["requests repeated"] += 1
        self.counts["posted together"] += count
        with self._lock:
            self.accepted |= {str(entry["key"]): job_id for entry, job_id in zip(entries, ids, strict=True)}
        return ids

    def _body(self, rng: random.Random) -> dict[str, Any]:
        """Return a job, with a webhook or without."""
        body = self._job(rng)
        return {**body, "notify": self._hook} if rng.random() < WITH_WEBHOOK else body

    def _job(self, rng: random.Random) -> dict[str, Any]:
        """Return a photo in one of both forms, a countdown, or one that fails in some way."""
        number = rng.random()
        if number < 0.5:
            return {"query": rng.choice(self._topics)}
        if number < 0.7:
            return {"kind": "photo", "input": {"query": rng.choice(self._topics)}}
        if number < 0.85:
            return {"kind": "countdown", "input": {"seconds": rng.randint(1, 3)}}
        return {
            "kind": "flaky",
            "input": {"way": rng.choice(self._ways), "until_attempt": rng.choice([1, 2, 9])},
        }

    def _cancel(self, client: httpx.Client, rng: random.Random, job_id: str) -> None:
        if self._request(client, "DELETE", f"jobs/{job_id}", 200, 409).get("status") != "cancelled":
            return
        self.counts["cancelled"] += 1
        if rng.random() < 0.5:
            with self._lock:
                self.retried.add(job_id)
            self.counts["retried"] += 1
            self._request(client, "POST", f"jobs/{job_id}/retry", 200, 409)

    def _request(
        self, client: httpx.Client, method: str, path: str, *expected: int,
        key: str | None = None, body: dict[str, Any] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Send the request until the status is one of `expected`, and return the JSON of the response.

        Raises RuntimeError after 60 seconds.
        """
        headers = {"Idempotency-Key": key} if key else {}
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                response = client.request(method, path, json=body, headers=headers)
            except httpx.HTTPError:
                response = None
            if response is not None and response.status_code in expected:
                content: dict[str, Any] = response.json()
                return content
            self.counts["requests repeated"] += 1
            time.sleep(0.1)
        raise RuntimeError(
            f"{method} {path} failed for 60 seconds; the last response: {response and response.text}"
        )
