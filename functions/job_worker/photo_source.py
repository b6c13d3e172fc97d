"""Get photos for a topic: spare photos first, then one request for many."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.clock import Clock
from functions.common.errors import Permanent, RateLimited, Transient, WorkError
from functions.common.job import Photo
from functions.common.observability import count, logger, measure
from functions.job_worker.budget import RateBudget, ShareUsedUp
from functions.job_worker.spares import SparePhotos
from functions.job_worker.unsplash import MAX_COUNT, NO_PHOTOS, PhotoPage, Unsplash, no_photos

PAUSE_SECONDS = 0.2
MAX_PAUSES = 100
"""All pauses together are longer than a claim lasts, so the claim of a worker that crashed expires first."""


@dataclass(frozen=True)
class PhotoResult:
    """Photos of a topic. If there are fewer than requested, `shortfall` is the reason."""

    photos: list[Photo]
    shortfall: WorkError | RateLimited | None = None


@dataclass(frozen=True)
class PhotoSource:
    """Requests photos within the rate budget, and stores those that are not needed yet."""

    unsplash: Unsplash
    budget: RateBudget
    spares: SparePhotos
    clock: Clock
    sleep: Callable[[float], None] = time.sleep

    def find(self, topic: str, wanted: int, callers: Sequence[str]) -> PhotoResult:
        """Return `wanted` (1..30) photos of a topic: spare photos, then photos of one request.

        The request is charged to the first of the callers (digests) whose share of the budget is not used up.

        If several workers run out of photos of a topic at the same time, one makes the request and the
        others wait for its spare photos. If the topic has too few photos, some are returned more than once.
        """
        photos: list[Photo] = []
        try:
            return self._find(topic, wanted, photos, callers)
        except (BotoCoreError, ClientError):
            logger.exception("ledger unavailable", extra={"topic": topic})
            return PhotoResult(photos, Transient("storage", "the store of photos and budget is unavailable"))

    def _find(self, topic: str, wanted: int, photos: list[Photo], callers: Sequence[str]) -> PhotoResult:
        """Append spare photos to `photos`, so that they are not lost if a later call fails."""
        for _ in range(MAX_PAUSES):
            photos += self.spares.take(topic, wanted - len(photos))
            if len(photos) == wanted:
                return PhotoResult(photos)
            if self.spares.claim(topic, self.clock()):
                return self._request_missing(topic, photos, wanted - len(photos), callers)
            if self.spares.has_none(topic, self.clock()):
                return PhotoResult(photos, no_photos(topic))
            self.sleep(PAUSE_SECONDS)
        return PhotoResult(photos, Transient("busy", "other workers requested this topic for too long"))

    def _request_missing(
        self, topic: str, photos: list[Photo], missing: int, callers: Sequence[str]
    ) -> PhotoResult:
        try:
            new = self._request(topic, callers)
        except (WorkError, RateLimited) as error:
            if isinstance(error, Permanent) and error.code == NO_PHOTOS:
                self.spares.remember_none(topic, self.clock())
            else:
                self.spares.release(topic)
            return PhotoResult(photos, error)
        self._store_spares(topic, new[missing:])
        return PhotoResult(photos + list(islice(cycle(new), missing)))

    def _request(self, topic: str, callers: Sequence[str]) -> list[Photo]:
        """Make one request and measure the remaining budget, including 0 if no request could be made."""
        remaining: int | None = None
        try:
            remaining = self.budget.spend(callers)
            page = self._random_photos(topic)
            self.budget.correct(page.remaining)
            remaining = remaining if page.remaining is None else min(remaining, page.remaining)
        except ShareUsedUp:
            raise
        except RateLimited:
            remaining = 0
            raise
        finally:
            if remaining is not None:
                measure("BudgetRemaining", remaining)
        return page.photos

    def _random_photos(self, topic: str) -> PhotoPage:
        """Ask for the maximum number of photos, because every request costs the same."""
        count("UnsplashRequests")
        try:
            return self.unsplash.random_photos(topic, MAX_COUNT)
        except RateLimited:
            raise RateLimited(self.budget.exhaust()) from None

    def _store_spares(self, topic: str, photos: list[Photo]) -> None:
        """Store the photos and end the claim. The claim ends even if there are no photos to store."""
        measure("SparePhotos", len(photos))
        try:
            self.spares.put(topic, photos, self.clock() // 1000)
        except (BotoCoreError, ClientError):
            logger.warning("spare photos not stored", extra={"topic": topic}, exc_info=True)
