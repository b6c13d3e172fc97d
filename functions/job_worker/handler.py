"""The jobs queue's worker."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
import requests
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from aws_lambda_powertools.utilities.parameters.secrets import SecretsProvider

from functions.common.clock import now_ms
from functions.common.errors import Transient
from functions.common.observability import observed
from functions.common.queues import Queue, partial_failure
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.store import JobStore
from functions.job_worker.budget import RateBudget
from functions.job_worker.download import Download
from functions.job_worker.images import HotlinkedImages, ImageStore, StoredImages
from functions.job_worker.photo_source import PhotoSource
from functions.job_worker.report import Reporter
from functions.job_worker.spares import SparePhotos
from functions.job_worker.unsplash import Unsplash
from functions.job_worker.watermark import Watermark
from functions.job_worker.work import JobWorker

SIDE_BY_SIDE = 10
KEY_SECONDS = 30
"""How long a changed access key may take to be noticed."""


@dataclass(frozen=True)
class Settings:
    """From the environment. `image_hosts`: hosts that images may come from, with commas between."""

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
    retry_seconds: int
    images_bucket: str = ""
    images_base_url: str = ""


def _photo_source(settings: Settings, dynamodb: Any, session: requests.Session) -> PhotoSource:
    secrets = SecretsProvider(boto3_client=boto3.client("secretsmanager"))

    def access_key() -> str:
        try:
            return str(secrets.get(settings.unsplash_secret, max_age=KEY_SECONDS)).strip()
        except GetParameterError as error:
            raise Transient("no_access_key", "the access key could not be read from its secret") from error

    api_host = settings.unsplash_api_url.split("://")[-1].split("/")[0]
    download = Download(session, frozenset([api_host]))
    return PhotoSource(
        Unsplash(settings.unsplash_api_url, access_key, download),
        RateBudget(
            dynamodb, settings.ledger_table, settings.rate_limit, settings.rate_window_seconds, now_ms
        ),
        SparePhotos(dynamodb, settings.ledger_table),
        now_ms,
    )


def _image_store(settings: Settings, session: requests.Session) -> ImageStore:
    if settings.images == "hotlink":
        return HotlinkedImages()
    download = Download(session, frozenset(host.strip() for host in settings.image_hosts.split(",")))
    return StoredImages(boto3.client("s3"), settings.images_bucket, settings.images_base_url, download)


@at_start
def worker() -> JobWorker:
    """Clients and settings, once per process."""
    settings = load(Settings, os.environ)
    sqs, dynamodb = boto3.client("sqs"), boto3.client("dynamodb")
    store = JobStore(dynamodb, settings.jobs_table)
    jobs = Queue(sqs, settings.jobs_queue_url)
    results = Queue(sqs, settings.results_queue_url)
    dead_letters = Queue(sqs, settings.dead_letter_queue_url)
    session = requests.Session()
    return JobWorker(
        store=store,
        find_photos=_photo_source(settings, dynamodb, session).find,
        images=_image_store(settings, session),
        watermark=Watermark(dynamodb, settings.ledger_table),
        reporter=Reporter(store, jobs, results, dead_letters, settings.retry_seconds, now_ms),
        pool=ThreadPoolExecutor(SIDE_BY_SIDE),
        clock=now_ms,
    )


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry: a batch of SQS records, answered with the messages that must come again."""
    return partial_failure(worker().work(event["Records"]))
