"""Where a topic's photos come from: spare ones first, then one request for many."""

from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.clock import Clock
from functions.common.errors import RateLimited, WorkError
from functions.common.observability import count, logger
from functions.job_worker.budget import RateBudget
from functions.job_worker.spares import SparePhotos
from functions.job_worker.unsplash import MAX_COUNT, Unsplash


@dataclass(frozen=True)
class Found:
    """Photos of a topic; where they are fewer than wanted, `shortfall` says why."""

    photos: list[dict[str, Any]]
    shortfall: WorkError | RateLimited | None = None


@dataclass(frozen=True)
class PhotoSource:
    """Spends the budget and keeps what it gets to spare."""

    unsplash: Unsplash
    budget: RateBudget
    spares: SparePhotos
    clock: Clock

    def find(self, topic: str, wanted: int) -> Found:
        """`wanted` (1..30) photos of a topic: spares, and if they are too few, those of one request.

        A topic with fewer photos than that shows some of them more than once.
        """
        photos = self.spares.take(topic, wanted)
        missing = wanted - len(photos)
        if not missing:
            return Found(photos)
        try:
            fresh = self._request(topic)
        except (WorkError, RateLimited) as error:
            return Found(photos, error)
        self._keep(topic, fresh[missing:])
        return Found(photos + list(islice(cycle(fresh), missing)))

    def _request(self, topic: str) -> list[dict[str, Any]]:
        """Always the most that one request gives, for it costs the same."""
        self.budget.spend()
        count("UnsplashRequests")
        try:
            page = self.unsplash.random_photos(topic, MAX_COUNT)
        except RateLimited:
            raise RateLimited(self.budget.exhaust()) from None
        self.budget.correct(page.allowance)
        return page.photos

    def _keep(self, topic: str, photos: list[dict[str, Any]]) -> None:
        if not photos:
            return
        try:
            self.spares.put(topic, photos, self.clock() // 1000)
        except (BotoCoreError, ClientError):
            logger.warning("spare photos not kept", extra={"topic": topic}, exc_info=True)
