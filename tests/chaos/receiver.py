"""A receiver of webhooks that refuses or loses some of them."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from functions.common.job import Job
from functions.common.notice import ENDS
from tests.chaos.server import Server

FAILURES = 0.3


@dataclass(frozen=True)
class Received:
    """An accepted request for the end of a job's run."""

    run: int
    webhook_id: str
    status: str


class Receiver(Server):
    """Fails some webhooks when they arrive first, because the third attempt would be made minutes later.

    `secret` must be set before the first webhook is sent. `counts` says how often it was called and failed.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(web.post("/hook", self._receive))
        self._random = random.Random(seed)
        self._received: dict[str, list[Received]] = {}
        self._seen: set[str] = set()
        self.secret = ""
        self.counts: Counter[str] = Counter()

    @property
    def hook(self) -> str:
        return f"{self.url}/hook"

    async def _receive(self, request: web.Request) -> web.Response:
        self.counts["webhooks received"] += 1
        webhook_id = request.headers["webhook-id"]
        try:
            job = Webhook(self.secret).verify(await request.read(), dict(request.headers))["data"]
        except WebhookVerificationError:
            self.counts["webhooks forged"] += 1
            return web.Response(status=401)
        fails = webhook_id not in self._seen and self._random.random() < FAILURES
        self._seen.add(webhook_id)
        if fails:
            self.counts["webhooks failed"] += 1
        else:
            run = int(webhook_id.rpartition("_")[2])
            self._received.setdefault(job["id"], []).append(Received(run, webhook_id, job["status"]))
        if fails and self._random.random() < 0.5 and request.transport is not None:
            request.transport.close()
        return web.Response(status=500 if fails else 204)

    def undelivered(self, jobs: Mapping[str, Job]) -> int:
        """Return how many jobs with a webhook have ended, but the receiver has not accepted that end."""
        return sum(
            (job.run, job.status)
            not in {(request.run, request.status) for request in self._received.get(job.id, [])}
            for job in jobs.values()
            if job.notify and job.status in ENDS
        )

    def breaches(self, jobs: Mapping[str, Job]) -> list[str]:
        """Return which guarantees of webhooks were broken."""
        problems = []
        if forged := self.counts["webhooks forged"]:
            problems.append(f"{forged} webhooks had no valid signature")
        for job_id, requests in self._received.items():
            if job_id not in jobs or not jobs[job_id].notify:
                problems.append(f"{job_id}: a webhook was sent that was not wanted")
            if len({request.webhook_id for request in requests}) > len({request.run for request in requests}):
                problems.append(f"{job_id}: a repeated webhook has another id")
            for before, after in pairwise(requests):
                if after.run < before.run:
                    problems.append(
                        f"{job_id}: the end of run {after.run} arrived after that of {before.run}"
                    )
        return problems
