"""Work on a batch of jobs: get photos by topic and images by job. Every message has its own outcome."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from functions.common.clock import Clock
from functions.common.errors import Poison, Transient, WorkError
from functions.common.job import Photo, topic
from functions.common.messages import JobMessage, ResultMessage, log_fields, parse
from functions.common.observability import logger
from functions.common.store import JobStore
from functions.common.wake import is_due
from functions.job_worker.images import ImageStore
from functions.job_worker.photo_source import PhotoResult
from functions.job_worker.report import Outcome, ReceivedJob, Reporter


@dataclass(frozen=True)
class JobWorker:
    """Works on batches with these dependencies. `pool` runs requests and downloads in parallel."""

    store: JobStore
    find_photos: Callable[[str, int, Sequence[str]], PhotoResult]
    images: ImageStore
    reporter: Reporter
    pool: Executor
    clock: Clock

    def work(self, records: list[dict[str, Any]]) -> set[str]:
        """Work on SQS records. Return the ids of the messages that must be redelivered."""
        readable, unreadable_ids = _parse_records(records)
        received = self._pending_jobs(readable)
        return unreadable_ids | self.reporter.report(list(self._outcomes(received)))

    def _pending_jobs(self, readable: list[tuple[str, str, JobMessage]]) -> list[ReceivedJob]:
        """Return one message for each job that is pending in the message's run, and due.

        The other messages are deleted. A job that is not due has another message, or the watchdog wakes it.
        """
        now = self.clock()
        jobs = self.store.get_many(message.job_id for _, _, message in readable)
        pending: dict[str, ReceivedJob] = {}
        for message_id, receipt_handle, message in readable:
            job = jobs.get(message.job_id)
            if job is None or job.status != "pending" or job.run != message.run:
                logger.info("message ignored: job is not pending in this run", extra=log_fields(message))
                continue
            if not is_due(job, now):
                logger.info("message ignored: job is not due", extra=log_fields(message, due_at=job.due_at))
                continue
            pending.setdefault(job.id, ReceivedJob(message_id, receipt_handle, message, job))
        return list(pending.values())

    def _outcomes(self, received: list[ReceivedJob]) -> Iterator[tuple[ReceivedJob, Outcome]]:
        """Yield the outcome of each job."""
        with_photo: list[tuple[ReceivedJob, Photo]] = []
        groups = _by_topic(received)
        results = self.pool.map(self._try_find, groups, groups.values())
        for group, result in zip(groups.values(), results, strict=True):
            with_photo += zip(group, result.photos, strict=False)
            if result.shortfall:
                yield from ((item, result.shortfall) for item in group[len(result.photos) :])
        yield from self.pool.map(self._publish_image, with_photo)

    def _try_find(self, topic: str, group: list[ReceivedJob]) -> PhotoResult:
        """Find photos for the jobs of one topic. An unexpected error affects only this topic."""
        try:
            return self.find_photos(topic, len(group), [received.job.caller for received in group])
        except Exception as error:  # noqa: BLE001  # affects only this topic
            logger.exception("topic failed unexpectedly", extra={"topic": topic})
            return PhotoResult([], _unexpected(error))

    def _publish_image(self, job_and_photo: tuple[ReceivedJob, Photo]) -> tuple[ReceivedJob, Outcome]:
        received, photo = job_and_photo
        try:
            published = self.images.publish(photo)
        except WorkError as error:
            return received, error
        except Exception as error:  # noqa: BLE001  # affects only this job
            logger.exception("image failed unexpectedly", extra=log_fields(received.message))
            return received, _unexpected(error)
        job = received.job
        result = ResultMessage(
            job_id=job.id,
            owner=job.owner,
            run=job.run,
            correlation_id=job.correlation_id,
            result=published["regular"],
            photo=published,
        )
        return received, result


def _unexpected(error: Exception) -> Transient:
    return Transient("failed", f"the work failed unexpectedly ({type(error).__name__})")


def _by_topic(received: list[ReceivedJob]) -> dict[str, list[ReceivedJob]]:
    groups: dict[str, list[ReceivedJob]] = defaultdict(list)
    for item in received:
        groups[topic(item.job.query)].append(item)
    return groups


def _parse_records(records: list[dict[str, Any]]) -> tuple[list[tuple[str, str, JobMessage]], set[str]]:
    """Return (message id, receipt handle, message) of readable records, and the ids of the others.

    Unreadable messages are redelivered until the redrive policy moves them to the dead-letter queue.
    """
    readable, unreadable_ids = [], set()
    for record in records:
        try:
            message = parse(JobMessage, record["body"])
        except Poison as reason:
            extra = {"message_id": record["messageId"], "reason": str(reason)}
            logger.error("message not readable", extra=extra)
            unreadable_ids.add(record["messageId"])
        else:
            readable.append((record["messageId"], record["receiptHandle"], message))
    return readable, unreadable_ids
