"""The jobs and schedules that the pictures show."""

import time
import urllib.error
import urllib.request
from typing import Any

import httpx

from local.system import LocalSystem

TOPICS = ["sunset at sea", "bread", "forest path", "coffee", "mountain lake", "pancakes", "city at night"]
REQUESTS = 50
"""The third party's hourly limit."""


def make_photos(http: httpx.Client) -> None:
    """Create jobs that find photos, and wait for them."""
    jobs = [create(http, query=topic) for topic in TOPICS]
    wait_for(http, dict.fromkeys(jobs, "resolved"))


def make_every_state(system: LocalSystem, http: httpx.Client) -> dict[str, str]:
    """Create a job in every state and a schedule. Returns the ids of jobs, by state."""
    jobs = {"failed": create(http, query="nothing")}
    wait_for(http, {jobs["failed"]: "error"})
    spend_budget(system)
    jobs["deferred"] = create(http, query="lighthouse")
    wait_for(http, {jobs["deferred"]: "pending"}, deferred=True)
    jobs["resolved"] = create(http, query=TOPICS[0])  # topics that still have spare photos
    jobs["cancelled"] = create(http, query="fried egg", delay_seconds=900)
    http.delete(f"jobs/{jobs['cancelled']}").raise_for_status()
    spares = [create(http, query=topic) for topic in TOPICS[1:3]]
    jobs["delayed"] = create(http, query="apple pie", delay_seconds=900)
    jobs["working"] = create(http, "countdown", seconds=600)
    spares.append(create(http, query=TOPICS[3]))
    wait_for(http, dict.fromkeys([*spares, jobs["resolved"]], "resolved"))
    schedule = {
        "kind": "photo",
        "input": {"query": "breakfast"},
        "cron": "0 9 * * 1-5",
        "timezone": "Europe/Berlin",
    }
    http.post("schedules", json=schedule).raise_for_status()
    return jobs


def create(http: httpx.Client, kind: str = "photo", delay_seconds: int = 0, **job_input: Any) -> str:
    """Create a job. Returns its id."""
    answer = http.post("jobs", json={"kind": kind, "input": job_input, "delay_seconds": delay_seconds})
    answer.raise_for_status()
    return str(answer.json()["id"])


def spend_budget(system: LocalSystem) -> None:
    """Use the remaining hourly requests, like another user of the access key."""
    url = f"{system.third_party.api_url}/photos/random?count=1"
    request = urllib.request.Request(url, headers={"Authorization": "Client-ID local"})  # noqa: S310
    for _ in range(REQUESTS):
        try:
            urllib.request.urlopen(request).close()  # noqa: S310
        except urllib.error.HTTPError:
            return


def wait_for(http: httpx.Client, statuses: dict[str, str], *, deferred: bool = False) -> None:
    """Wait until the jobs have these statuses. Raises TimeoutError."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        jobs = [http.get(f"jobs/{job_id}").json() for job_id in statuses]
        if all(job["status"] == statuses[job["id"]] for job in jobs) and (
            not deferred or all(job["deferred_until"] for job in jobs)
        ):
            return
        time.sleep(0.2)
    raise TimeoutError(f"jobs did not reach these statuses in time: {statuses}")
