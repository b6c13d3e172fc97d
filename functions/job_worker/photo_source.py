"""Where a topic's photos come from: spare ones first, then one request for many."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.clock import Clock
from functions.common.errors import RateLimited, Transient, WorkError
from functions.common.observability import count, logger, measure
from functions.job_worker.budget import RateBudget
from functions.job_worker.spares import SparePhotos
from functions.job_worker.unsplash import MAX_COUNT, PhotoPage, Unsplash

PAUSE_SECONDS = 0.2
PATIENCE = 100
"""Pauses, longer in all than a claim lasts: the claim of a worker that died runs out first."""


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
    sleep: Callable[[float], None] = time.sleep

    def find(self, topic: str, wanted: int) -> Found:
        """`wanted` (1..30) photos of a topic: spares, and if they are too few, those of one request.

        Of several workers that run out of a topic at once, one asks and the others wait for its spares.
        A topic with fewer photos than that shows some of them more than once.
        """
        photos: list[dict[str, Any]] = []
        try:
            return self._find(topic, wanted, photos)
        except (BotoCoreError, ClientError):
            logger.exception("ledger unavailable", extra={"topic": topic})
            return Found(photos, Transient("storage", "the store of photos and budget is unavailable"))

    def _find(self, topic: str, wanted: int, photos: list[dict[str, Any]]) -> Found:
        """Adds spares to `photos`, so that they are not lost if a later call fails."""
        for _ in range(PATIENCE):
            photos += self.spares.take(topic, wanted - len(photos))
            if len(photos) == wanted:
                return Found(photos)
            if self.spares.claim(topic, self.clock()):
                return self._ask(topic, photos, wanted - len(photos))
            self.sleep(PAUSE_SECONDS)
        return Found(photos, Transient("busy", "others were asking for this topic for too long"))

    def _ask(self, topic: str, photos: list[dict[str, Any]], missing: int) -> Found:
        try:
            fresh = self._request(topic)
        except (WorkError, RateLimited) as error:
            self.spares.release(topic)
            return Found(photos, error)
        self._keep(topic, fresh[missing:])
        return Found(photos + list(islice(cycle(fresh), missing)))

    def _request(self, topic: str) -> list[dict[str, Any]]:
        """Tells what is left of the budget too, also when it is nothing and so nothing was asked."""
        left: int | None = None
        try:
            left = self.budget.spend()
            page = self._page(topic)
            self.budget.correct(page.remaining)
            left = left if page.remaining is None else min(left, page.remaining)
        except RateLimited:
            left = 0
            raise
        finally:
            if left is not None:
                measure("BudgetRemaining", left)
        return page.photos

    def _page(self, topic: str) -> PhotoPage:
        """Always the most that one request gives, for it costs the same."""
        count("UnsplashRequests")
        try:
            return self.unsplash.random_photos(topic, MAX_COUNT)
        except RateLimited:
            raise RateLimited(self.budget.exhaust()) from None

    def _keep(self, topic: str, photos: list[dict[str, Any]]) -> None:
        """Ends the claim too, also if there is nothing to keep."""
        measure("SparePhotos", len(photos))
        try:
            self.spares.put(topic, photos, self.clock() // 1000)
        except (BotoCoreError, ClientError):
            logger.warning("spare photos not kept", extra={"topic": topic}, exc_info=True)
