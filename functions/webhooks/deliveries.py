"""The deliveries of a job's webhook, as its owner sees them, and the request to send it again."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from functions.common.access import find_job
from functions.common.clock import Clock
from functions.common.deliveries import Deliveries
from functions.common.errors import Problem
from functions.common.identity import Identity
from functions.common.job import Job
from functions.common.messages import job_message, log_fields
from functions.common.notice import ENDS, Notice
from functions.common.observability import logger
from functions.common.queues import Queue
from functions.common.store import JobStore


@dataclass(frozen=True)
class DeliveryDesk:
    """Reads deliveries, and sends notices to the queue of the webhooks."""

    store: JobStore
    deliveries: Deliveries
    queue: Queue
    clock: Clock

    def list(self, job_id: str, identity: Identity) -> dict[str, Any]:
        """Return the latest attempts of a caller's job, the newest last. Raises Problem 404."""
        return self._view(find_job(self.store, job_id, identity))

    def send_again(self, job_id: str, identity: Identity) -> dict[str, Any]:
        """Request a new delivery of a caller's job, with all its attempts. Return the attempts before it.

        It replaces a delivery that is still being tried. Raises Problem 404, or 409 if there is nothing to
        send.
        """
        job = find_job(self.store, job_id, identity)
        if job.notify is None:
            raise Problem(409, "the job was created without notify, so it has no webhook")
        if job.status not in ENDS:
            raise Problem(409, "the job has not ended yet; its webhook is called when it does")
        state = self.deliveries.state(job_id)
        now = self.clock()
        # not recorded: a request that was answered must not depend on what is written after it was sent
        notice = Notice(job=job, requested=(state.requested(job) if state else 0) + 1, due_at=now, since=now)
        self.queue.send(notice.body())
        operator = {"operator": identity.subject} if identity.is_operator else {}
        logger.info("webhook requested again", extra=log_fields(job_message(job), **operator))
        return self._view(job)

    def _view(self, job: Job) -> dict[str, Any]:
        """Return the contract's form. The URL may contain a secret, so only its host is shown."""
        state = self.deliveries.state(job.id) if job.notify else None
        # a job with the same id may have expired before
        entries = [entry for entry in state.entries if entry["at"] >= job.created_at] if state else []
        return {
            "data": entries,
            "host": urlsplit(job.notify).netloc if job.notify else None,
            "next_at": state.next_at if state else None,
        }
