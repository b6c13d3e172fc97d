"""Get photos for a topic: spare photos first, then one request for many."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.errors import WorkError
from functions.common.kind import BatchJob, Context, Permanent, RateLimited, Transient
from functions.common.observability import count, logger, measure
from kinds.photo import UNSPLASH, Input, Photo
from kinds.photo.spares import SparePhotos
from kinds.photo.unsplash import MAX_COUNT, NO_PHOTOS, PhotoPage, Unsplash, no_photos

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
    """Requests photos within the budget, and stores those that are not needed yet."""

    unsplash: Unsplash
    spares: SparePhotos
    context: Context
    sleep: Callable[[float], None] = time.sleep

    def find(self, topic: str, jobs: Sequence[BatchJob[Input]]) -> PhotoResult:
        """Return a photo of the topic for each of 1 to 30 jobs: spare photos, then photos of one request.

        The request is charged to the first of the jobs' callers whose share of the budget is not used up.

        If several workers run out of photos of a topic at the same time, one makes the request and the
        others wait for its spare photos. If the topic has too few photos, some are returned more than once.
        """
        photos: list[Photo] = []
        try:
            return self._find(topic, jobs, photos)
        except (BotoCoreError, ClientError):
            logger.exception("ledger unavailable", extra={"topic": topic})
            return PhotoResult(photos, Transient("storage", "the store of photos and budget is unavailable"))

    def _find(self, topic: str, jobs: Sequence[BatchJob[Input]], photos: list[Photo]) -> PhotoResult:
        """Append spare photos to `photos`, so that they are not lost if a later call fails."""
        wanted = len(jobs)
        for _ in range(MAX_PAUSES):
            photos += self.spares.take(topic, wanted - len(photos))
            if len(photos) == wanted:
                return PhotoResult(photos)
            if self.spares.claim(topic, self.context.now()):
                return self._request_missing(topic, photos, jobs)
            if self.spares.has_none(topic, self.context.now()):
                return PhotoResult(photos, no_photos(topic))
            self.sleep(PAUSE_SECONDS)
        return PhotoResult(photos, Transient("busy", "other workers requested this topic for too long"))

    def _request_missing(
        self, topic: str, photos: list[Photo], jobs: Sequence[BatchJob[Input]]
    ) -> PhotoResult:
        missing = len(jobs) - len(photos)
        try:
            self.context.spend(UNSPLASH, jobs)
            page = self._random_photos(topic)
            self.context.budget(UNSPLASH).correct(page.remaining)
        except (WorkError, RateLimited) as error:
            if isinstance(error, Permanent) and error.code == NO_PHOTOS:
                self.spares.remember_none(topic, self.context.now())
            else:
                self.spares.release(topic)
            return PhotoResult(photos, error)
        self._store_spares(topic, page.photos[missing:])
        return PhotoResult(photos + list(islice(cycle(page.photos), missing)))

    def _random_photos(self, topic: str) -> PhotoPage:
        """Ask for the maximum number of photos, because every request costs the same."""
        count("UnsplashRequests")
        try:
            return self.unsplash.random_photos(topic, MAX_COUNT)
        except RateLimited:
            raise RateLimited(self.context.budget(UNSPLASH).exhaust()) from None

    def _store_spares(self, topic: str, photos: list[Photo]) -> None:
        """Store the photos and end the claim. The claim ends even if there are no photos to store."""
        measure("SparePhotos", len(photos))
        try:
            self.spares.put(topic, photos, self.context.now())
        except (BotoCoreError, ClientError):
            logger.warning("spare photos not stored", extra={"topic": topic}, exc_info=True)
