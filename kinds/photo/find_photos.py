"""Find photos for a batch of jobs: photos by topic, images by job."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from functions.common.errors import WorkError
from functions.common.kind import BatchJob, Context, RateLimited, Transient
from kinds.photo import ACCESS_KEY, Input, Photo
from kinds.photo.images import HotlinkedImages, ImageStore, StoredImages
from kinds.photo.photo_source import PhotoResult, PhotoSource
from kinds.photo.spares import SparePhotos
from kinds.photo.unsplash import Unsplash

API_URL = "https://api.unsplash.com"
IMAGE_HOSTS = "images.unsplash.com,plus.unsplash.com"
MAX_PARALLEL = 10
"""Requests and downloads at the same time."""
MAX_TOPIC = 200

Job: TypeAlias = BatchJob[Input]


def find_photos(jobs: list[Job], context: Context) -> Iterator[tuple[Job, Photo | WorkError | RateLimited]]:
    """Yield a photo or an error for each job.

    The environment variables UNSPLASH_API_URL and IMAGE_HOSTS name other servers with the same protocol.
    Hosts with a port may use HTTP.
    """
    api_url = os.environ.get("UNSPLASH_API_URL", API_URL)
    hosts = os.environ.get("IMAGE_HOSTS", IMAGE_HOSTS)
    unsplash = Unsplash(api_url, lambda: context.secret(ACCESS_KEY), context.http)
    source = PhotoSource(unsplash, SparePhotos(context.items), context)
    images: ImageStore = HotlinkedImages()
    if context.files:
        allowed = frozenset(host.strip() for host in hosts.split(","))
        images = StoredImages(context.files, context.http, allowed)
    yield from assign_photos(jobs, source, images)


def assign_photos(
    jobs: list[Job], source: PhotoSource, images: ImageStore
) -> Iterator[tuple[Job, Photo | WorkError | RateLimited]]:
    """Yield a photo whose images are published, or an error, for each job."""
    with_photo: list[tuple[Job, Photo]] = []
    groups = _by_topic(jobs)
    with ThreadPoolExecutor(MAX_PARALLEL) as pool:
        results = pool.map(lambda group: _try_find(source, *group), groups.items())
        for group, result in zip(groups.values(), results, strict=True):
            with_photo += zip(group, result.photos, strict=False)
            if result.shortfall:
                yield from ((job, result.shortfall) for job in group[len(result.photos) :])
        yield from pool.map(lambda pair: _publish(images, *pair), with_photo)


def _try_find(source: PhotoSource, name: str, group: list[Job]) -> PhotoResult:
    """Find photos for the jobs of one topic. An unexpected error affects only this topic."""
    try:
        return source.find(name, group)
    except Exception as error:  # noqa: BLE001  # affects only this topic
        group[0].context.logger.exception("topic failed unexpectedly")
        return PhotoResult([], _unexpected(error))


def _publish(images: ImageStore, job: Job, photo: Photo) -> tuple[Job, Photo | WorkError]:
    try:
        return job, images.publish(photo)
    except WorkError as error:
        return job, error
    except Exception as error:  # affects only this job
        job.context.logger.exception("image failed unexpectedly")
        return job, _unexpected(error)


def _unexpected(error: Exception) -> Transient:
    return Transient("failed", f"the work failed unexpectedly ({type(error).__name__})")


def topic(query: str) -> str:
    """Return the normalized form of a query. Jobs with the same topic share requests and spare photos."""
    # normalization can turn one character into eighteen, and a key of the ledger holds 2,048 bytes
    return " ".join(unicodedata.normalize("NFKC", query).casefold().split())[:MAX_TOPIC]


def _by_topic(jobs: list[Job]) -> dict[str, list[Job]]:
    groups: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        groups[topic(job.input.query)].append(job)
    return groups
