"""Process the messages of the jobs queue."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from aws_lambda_powertools.utilities.parameters.secrets import SecretsProvider

from functions.common.clock import now_ms
from functions.common.errors import Transient
from functions.common.http.download import Download
from functions.common.ledger import Ledger
from functions.common.observability import instrumented
from functions.common.queues import Queue, partial_failure
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore
from functions.job_worker.budget import RateBudget
from functions.job_worker.images import HotlinkedImages, ImageStore, StoredImages
from functions.job_worker.photo_source import PhotoSource
from functions.job_worker.report import Reporter
from functions.job_worker.spares import SparePhotos
from functions.job_worker.unsplash import Unsplash
from functions.job_worker.work import JobWorker

MAX_PARALLEL_DOWNLOADS = 10
ACCESS_KEY_SECONDS = 30
"""How long the access key is cached. A changed key is used after this time."""


@dataclass(frozen=True)
class JobWorkerSettings:
    """Environment variables.

    `image_hosts` lists the hosts that serve images, separated by commas. `share_limit` is how many requests
    of a window one caller can use before its last sixth.
    """

    jobs_table: str
    ledger_table: str
    jobs_queue_url: str
    results_queue_url: str
    dead_letter_queue_url: str
    unsplash_secret: str
    unsplash_api_url: str
    image_hosts: str
    images: str
    rate_limit: int
    rate_window_seconds: int
    share_limit: int
    retry_seconds: int
    images_bucket: str = ""
    images_base_url: str = ""


def _photo_source(settings: JobWorkerSettings, ledger: Ledger) -> PhotoSource:
    secrets = SecretsProvider(boto3_client=boto3.client("secretsmanager"))

    def access_key() -> str:
        try:
            return str(secrets.get(settings.unsplash_secret, max_age=ACCESS_KEY_SECONDS)).strip()
        except GetParameterError as error:
            raise Transient("no_access_key", "the access key could not be read from its secret") from error

    api_host = settings.unsplash_api_url.split("://")[-1].split("/")[0]
    download = Download(frozenset([api_host]))
    return PhotoSource(
        Unsplash(settings.unsplash_api_url, access_key, download),
        RateBudget(ledger, settings.rate_limit, settings.rate_window_seconds, settings.share_limit, now_ms),
        SparePhotos(ledger),
        now_ms,
    )


def _image_store(settings: JobWorkerSettings) -> ImageStore:
    if settings.images == "hotlink":
        return HotlinkedImages()
    download = Download(frozenset(host.strip() for host in settings.image_hosts.split(",")))
    return StoredImages(boto3.client("s3"), settings.images_bucket, settings.images_base_url, download)


@at_start
def worker() -> JobWorker:
    """Create the clients and read the settings, once per process."""
    settings = load(JobWorkerSettings, os.environ)
    sqs, dynamodb = boto3.client("sqs"), boto3.client("dynamodb")
    store, ledger = JobStore(dynamodb, settings.jobs_table), Ledger(dynamodb, settings.ledger_table)
    jobs = Queue(sqs, settings.jobs_queue_url)
    results = Queue(sqs, settings.results_queue_url)
    dead_letters = Queue(sqs, settings.dead_letter_queue_url)
    return JobWorker(
        store=store,
        find_photos=_photo_source(settings, ledger).find,
        images=_image_store(settings),
        reporter=Reporter(store, jobs, results, dead_letters, settings.retry_seconds, now_ms),
        pool=ThreadPoolExecutor(MAX_PARALLEL_DOWNLOADS),
        clock=now_ms,
    )


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch of SQS records. Return the messages that SQS must redeliver."""
    return partial_failure(worker().work(event["Records"]))
