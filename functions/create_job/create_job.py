"""Create jobs: write them as pending, then send their first wake-ups."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4, uuid5

from functions.common.caller import caller_of
from functions.common.clock import Clock
from functions.common.errors import Damaged, FieldError, Problem
from functions.common.job import Job
from functions.common.messages import job_message, log_fields
from functions.common.observability import count, logger, report_damaged
from functions.common.queues import Queue
from functions.common.store import JobStore
from functions.common.wake import Waker, can_wait_in_queue
from functions.create_job.job_request import JobEntry

ID_NAMESPACE = UUID("5b0c1c1e-3f0b-4c55-9f6e-2f9d1c6f8d11")
"""Namespace of the ids that are derived from idempotency keys (UUID version 5, RFC 9562)."""


@dataclass(frozen=True)
class Caller:
    """Who creates a job: its owner, and the IP address of the request."""

    owner: str
    address: str


@dataclass(frozen=True)
class JobIntake:
    """Writes new jobs and sends their first wake-ups to the queues of their kinds.

    `salt` is that of the digests of callers' addresses.
    """

    store: JobStore
    queues: Mapping[str, Queue]
    clock: Clock
    salt: str

    def create_jobs(
        self, entries: list[JobEntry], correlation_id: str, caller: Caller
    ) -> list[Job | Problem]:
        """Create up to 100 jobs. Return each job, or the problem of its entry, in order.

        Each job is one conditional write. Beyond that, the call sends ten messages of a kind at a time, and
        reads the jobs that exist already together. So a single job takes two calls.

        The id is derived from owner and idempotency key, so the table ensures one job per owner and key,
        whichever of several calls arrives first. A repeated call may send another wake-up, in case the first
        one failed between write and send; but no more of them than the watchdog may (wake.py).

        A problem is 422 if the key was used with a different request, 503 if the job could not be written or
        queued.
        """
        jobs = [self._new_job(entry, correlation_id, caller) for entry in entries]
        new = {job.id: job for job in reversed(jobs)}  # of several with one id, the first
        keyed = {job.id for job, entry in zip(jobs, entries, strict=True) if entry.key is not None}
        # a single job is probably new
        existing = self.store.get_many(keyed) if len(new) > 1 else {}
        absent = [job for job in new.values() if job.id not in existing]
        outcomes = dict(zip((job.id for job in absent), self.store.create_all(absent), strict=True))
        existing |= self.store.get_many(job_id for job_id, outcome in outcomes.items() if outcome == "exists")
        created = {job.id: job for job in absent if outcomes[job.id] == "created"}
        repeated = [job for job in existing.values() if job.fingerprint == new[job.id].fingerprint]
        unsent = self._send(created, repeated)
        self._log(entries, jobs, created.keys() - unsent)

        def answer(job: Job, entry: JobEntry) -> Job | Problem:
            if outcomes.get(job.id) == "failed":
                return _try_later()
            current = created.get(job.id) or existing.get(job.id) or self._read(job)
            if isinstance(current, Job) and current.fingerprint != job.fingerprint:
                return _used_before(entry)
            return _not_queued() if job.id in unsent else current

        return [answer(*pair) for pair in zip(jobs, entries, strict=True)]

    def _new_job(self, entry: JobEntry, correlation_id: str, caller: Caller) -> Job:
        now, request = self.clock(), entry.request
        job_id = uuid4() if entry.key is None else uuid5(ID_NAMESPACE, f"{caller.owner}/{entry.key}")
        due_at = now + request.delay_seconds * 1000
        return Job(
            id=str(job_id),
            owner=caller.owner,
            kind=request.kind,
            input=request.input,
            delay_seconds=request.delay_seconds,
            notify=request.notify,
            fingerprint=request.fingerprint,
            correlation_id=correlation_id,
            caller=caller_of(caller.owner, caller.address, self.salt),
            created_at=now,
            updated_at=now,
            due_at=due_at,
            wake_at=due_at,
            parked=not can_wait_in_queue(due_at, now),
        )

    def _send(self, created: Mapping[str, Job], repeated: list[Job]) -> set[str]:
        """Send the wake-ups of new jobs, and further ones. Return the ids of jobs whose message was not sent.

        A parked job has no message.
        """
        by_kind: dict[str, list[Job]] = defaultdict(list)
        for job in (*created.values(), *repeated):
            if not job.parked:
                by_kind[job.kind].append(job)
        unsent: set[str] = set()
        for kind, jobs in by_kind.items():
            waker = Waker(self.store, self.queues[kind], self.clock)
            wanted = [job for job in jobs if waker.may_wake(job)]
            sent = waker.send(wanted)
            waker.record([job for job in sent if job.id not in created])
            unsent |= {job.id for job in wanted} - {job.id for job in sent}
        return unsent

    def _read(self, job: Job) -> Job | Problem:
        """Return a job that exists, but was not read with the others: it is damaged, or it has expired."""
        try:
            return self.store.get(job.id, job.owner) or _try_later()
        except Damaged as reason:
            report_damaged("jobs table", job.id, reason)
            return Problem(500, "this job's stored data is damaged and cannot be shown")

    def _log(self, entries: list[JobEntry], jobs: list[Job], accepted: set[str]) -> None:
        count("JobsAccepted", len(accepted))
        labels = {job.id: entry.request.label for job, entry in zip(jobs, entries, strict=True)}
        for job in {job.id: job for job in jobs if job.id in accepted}.values():
            fields = log_fields(job_message(job), label=labels[job.id], version=job.version)
            logger.info("job accepted", extra=fields)


def _try_later() -> Problem:
    return Problem(503, "try again later", headers={"Retry-After": "1"})


def _used_before(entry: JobEntry) -> Problem:
    message = "was used before with a different body; use a new key for a new job"
    return Problem(422, f"{entry.key_field} {message}", (FieldError(entry.key_field, message),))


def _not_queued() -> Problem:
    detail = "the job was created but not queued; send the request again with the same key"
    return Problem(503, detail, headers={"Retry-After": "1"})
