"""What SQS's fair queues achieve for owners, and what they do not, in a model of AWS's description of them.

The emulator accepts message groups, but does not deliver messages fairly, and nothing here has run in AWS.
The model has the rules of
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html:
a group is noisy if it has more than a tenth of the messages in flight and at least 30 of them, or had more
than a tenth of the consumers' recent processing time. Quiet groups are then delivered first, and among noisy
groups the one with the fewest messages in flight. AWS calls the thresholds approximate, and does not say what
"recent" is.
"""

from collections import Counter
from dataclasses import dataclass, field

SHARE = 0.1
MIN_IN_FLIGHT = 30
RECENT_SECONDS = 60


@dataclass
class FairQueue:
    """A queue with `workers` consumers that take one message each, for as many seconds as it lasts."""

    workers: int
    is_fair: bool = True
    waiting: list[tuple[str, int, int]] = field(default_factory=list)
    in_flight: list[tuple[str, int]] = field(default_factory=list)
    processed: list[tuple[int, str]] = field(default_factory=list)
    waits: dict[str, list[int]] = field(default_factory=dict)
    now: int = 0

    def send(self, group: str, count: int, seconds: int = 1) -> None:
        self.waiting += [(group, self.now, seconds)] * count

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.in_flight = [(group, end) for group, end in self.in_flight if end > self.now]
            while self.waiting and len(self.in_flight) < self.workers:
                group, sent_at, duration = message = self._next()
                self.waiting.remove(message)
                self.in_flight.append((group, self.now + duration))
                self.waits.setdefault(group, []).append(self.now - sent_at)
            self.processed += [(self.now, group) for group, _ in self.in_flight]
            self.now += 1

    def _next(self) -> tuple[str, int, int]:
        if not self.is_fair:
            return self.waiting[0]
        counts = Counter(group for group, _ in self.in_flight)
        noisy = self._noisy(counts)
        return min(self.waiting, key=lambda message: (message[0] in noisy, counts[message[0]]))

    def _noisy(self, counts: Counter[str]) -> set[str]:
        recent = Counter(group for at, group in self.processed if at >= self.now - RECENT_SECONDS)
        return {
            group
            for group in counts | recent
            if (counts[group] > SHARE * counts.total() and counts[group] >= MIN_IN_FLIGHT)
            or recent[group] > SHARE * recent.total()
        }


def wait_behind_a_backlog(*, workers: int, is_fair: bool, seconds: int = 1, backlog: int = 1000) -> int:
    """Return how long bob's first job waits for a worker while ann has a backlog."""
    queue = FairQueue(workers, is_fair)
    queue.send("ann", backlog, seconds)
    queue.run(5)
    queue.send("bob", 1, seconds)
    queue.run(backlog * seconds // workers + 10)
    return queue.waits["bob"][0]


def test_one_owners_thousand_jobs_do_not_delay_anothers_first() -> None:
    for workers in (10, 100):  # ten cannot have 30 in flight: then the processing time tells
        assert wait_behind_a_backlog(workers=workers, is_fair=False) >= 1000 // workers - 10
        assert wait_behind_a_backlog(workers=workers, is_fair=True) <= 1


def test_a_job_still_waits_until_a_worker_is_free() -> None:
    """What runs is not interrupted: a kind whose jobs take minutes needs more workers."""
    assert 50 <= wait_behind_a_backlog(workers=10, is_fair=True, seconds=60, backlog=50) <= 60


def test_owners_who_are_all_noisy_share_the_workers() -> None:
    queue = FairQueue(10)
    queue.send("ann", 1000)
    queue.run(5)
    queue.send("bob", 200)
    queue.run(30)
    served = Counter({owner: len(waits) for owner, waits in queue.waits.items()})
    assert served["bob"] >= 0.4 * 10 * 30


def test_an_owner_with_many_groups_is_not_recognized() -> None:
    """Without sign-in the group is a digest of the address: a caller with many addresses is many groups."""
    queue = FairQueue(10)
    for number in range(200):
        queue.send(f"address {number}", 1)
    queue.run(5)
    queue.send("bob", 1)
    queue.run(30)
    assert queue.waits["bob"][0] >= 15
