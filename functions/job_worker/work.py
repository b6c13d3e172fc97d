"""Work on a batch of jobs: photos by topic, images by job. Every message gets an outcome of its own."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from functions.common.errors import Poison, RateLimited, WorkError
from functions.common.job import topic
from functions.common.messages import JobMessage, ResultMessage, about, parse
from functions.common.observability import logger
from functions.common.store import JobStore
from functions.job_worker.images import ImageStore
from functions.job_worker.photo_source import Found
from functions.job_worker.report import Outcome, Received, Reporter
from functions.job_worker.watermark import Watermark


@dataclass(frozen=True)
class JobWorker:
    """The worker and its neighbours. `pool` runs requests and downloads side by side."""

    store: JobStore
    find_photos: Callable[[str, int], Found]
    images: ImageStore
    reporter: Reporter
    watermark: Watermark
    pool: Executor
    clock: Callable[[], int]

    def work(self, records: list[dict[str, Any]]) -> set[str]:
        """Work on SQS records. Returns the ids of the messages that must come again."""
        self.watermark.advance(records)
        readable, unreadable = _read(records)
        due = self._due(readable)
        return unreadable | self.reporter.report(list(self._outcomes(due)))

    def _due(self, readable: list[tuple[str, str, JobMessage]]) -> list[Received]:
        """What asks for work: one message for each job that is pending in the message's run."""
        jobs = self.store.get_many(message.job_id for _, _, message in readable)
        due: dict[str, Received] = {}
        for message_id, receipt_handle, message in readable:
            job = jobs.get(message.job_id)
            if job is None or job.status != "pending" or job.run != message.run:
                logger.info("nothing to do", extra=about(message))
                continue
            due.setdefault(job.id, Received(message_id, receipt_handle, message, job))
        return list(due.values())

    def _outcomes(self, due: list[Received]) -> Iterator[tuple[Received, Outcome]]:
        """What becomes of each. A job that was deferred to a later time is on one hop of its wait."""
        ready: list[tuple[Received, dict[str, Any]]] = []
        now = self.clock()
        waiting = [one for one in due if (one.job.deferred_until or 0) > now]
        yield from ((one, RateLimited(one.job.deferred_until or 0)) for one in waiting)
        groups = self._by_topic([one for one in due if one not in waiting])
        found = self.pool.map(self.find_photos, groups, map(len, groups.values()))
        for group, answer in zip(groups.values(), found, strict=True):
            ready += zip(group, answer.photos, strict=False)
            if answer.shortfall:
                yield from ((one, answer.shortfall) for one in group[len(answer.photos) :])
        yield from self.pool.map(self._with_image, ready)

    def _by_topic(self, due: list[Received]) -> dict[str, list[Received]]:
        groups: dict[str, list[Received]] = defaultdict(list)
        for one in due:
            groups[topic(one.job.query)].append(one)
        return groups

    def _with_image(self, chosen: tuple[Received, dict[str, Any]]) -> tuple[Received, Outcome]:
        received, photo = chosen
        try:
            kept = self.images.keep(photo)
        except WorkError as error:
            return received, error
        job = received.job
        result = ResultMessage(
            job_id=job.id,
            owner=job.owner,
            run=job.run,
            correlation_id=job.correlation_id,
            result=kept["regular"],
            photo=kept,
        )
        return received, result


def _read(records: list[dict[str, Any]]) -> tuple[list[tuple[str, str, JobMessage]], set[str]]:
    """(message id, receipt handle, message) of those that can be read, and the ids of those that cannot:
    they come again until the redrive policy takes them to the dead-letter queue."""
    readable, unreadable = [], set()
    for record in records:
        try:
            message = parse(JobMessage, record["body"])
        except Poison as reason:
            logger.error(
                "unreadable message", extra={"message_id": record["messageId"], "reason": str(reason)}
            )
            unreadable.add(record["messageId"])
        else:
            readable.append((record["messageId"], record["receiptHandle"], message))
    return readable, unreadable
