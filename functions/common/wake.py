"""Wake-ups: messages that tell a worker to look at a job. What the job waits for is in the table.

A job's `due_at` is when its work may start. The function that sets it also sends a message for that time, or
parks the job: then the watchdog sends it. A worker drops messages that arrive earlier, so a repeated or late
message uses no attempt and starts no second wait. If a message is lost, another wake-up is sent once
`wake_at` has passed. Each wake-up moves `wake_at`, so that the time since the job was due at least doubles
from one to the next.
"""

from dataclasses import dataclass
from math import ceil

from functions.common.clock import Clock
from functions.common.job import Job
from functions.common.messages import job_message
from functions.common.queues import MAX_DELAY_SECONDS, OutgoingMessage, Queue
from functions.common.store import JobStore, JobUpdate

MIN_INTERVAL_MS = 1000
EARLY_MS = 1000
"""How much earlier than `due_at` a message may arrive: clocks differ."""


def is_due(job: Job, now: int) -> bool:
    """Return whether the job's work may start (`now` is epoch ms)."""
    return (job.due_at or 0) <= now + EARLY_MS


def can_wait_in_queue(due_at: int, now: int) -> bool:
    """Return whether a message can be delayed until `due_at` (epoch ms)."""
    return due_at - now <= 1000 * MAX_DELAY_SECONDS


def wake_up(job: Job, now: int) -> OutgoingMessage:
    """Return the message that wakes the job when it is due, or as late as SQS can delay it.

    Its group is the caller, so that one caller's backlog does not delay the jobs of the others.
    """
    seconds = ceil(((job.due_at or now) - now) / 1000)
    delay = min(max(0, seconds), MAX_DELAY_SECONDS)
    return OutgoingMessage(job.id, job_message(job).body(), delay, group=job.caller or job.owner)


@dataclass(frozen=True)
class Waker:
    """Sends further wake-ups for jobs whose first message may be lost, and the messages of parked jobs."""

    store: JobStore
    queue: Queue
    clock: Clock

    def may_wake(self, job: Job) -> bool:
        """Return whether a further wake-up may be sent now. The first of a parked job is the watchdog's."""
        return not job.parked and job.wake_at is not None and job.wake_at <= self._arrival(job)

    def wake(self, jobs: list[Job], *, rescue: bool = False) -> list[Job]:
        """Send a wake-up for each job and record it in the table. Return the jobs whose wake-up was sent.

        `rescue` counts the wake-up as one that nothing but a loss explains.
        """
        sent = self.send(jobs)
        self.record(sent, rescue=rescue)
        return sent

    def send(self, jobs: list[Job]) -> list[Job]:
        """Send a wake-up for each job. Return the jobs whose wake-up was sent."""
        now = self.clock()
        failed = self.queue.send_all([wake_up(job, now) for job in jobs])
        return [job for job in jobs if job.id not in failed]

    def record(self, jobs: list[Job], *, rescue: bool = False) -> None:
        """Record that a wake-up was sent for each job, unless it is the first one for its due time.

        Recorded after it was sent: if it is not recorded, the next one comes sooner, and has no effect.
        """
        self.store.update_all([self._record(job, rescue) for job in jobs])

    def _record(self, job: Job, rescue: bool) -> JobUpdate:
        arrival = self._arrival(job)
        overdue = arrival - (job.due_at or arrival)
        values = {
            "wake_at": arrival + max(MIN_INTERVAL_MS, overdue),
            "parked": False,
            "rescues": job.rescues + rescue,
        }
        return JobUpdate(job_message(job), values, visible=False, due_at=job.due_at)

    def _arrival(self, job: Job) -> int:
        return max(self.clock(), job.due_at or 0)
