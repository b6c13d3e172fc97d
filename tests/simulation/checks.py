"""What must hold after every run."""

from collections import Counter
from itertools import pairwise

from functions.common.attributes import from_item
from functions.common.job import Job, index_keys, is_job
from functions.common.ledger import Ledger
from functions.common.wake import EARLY_MS
from tests.simulation import recorded
from tests.simulation.callers import Callers, owner_digest
from tests.simulation.dynamodb import DynamoDBClient
from tests.simulation.kinds import NARROW
from tests.simulation.scenarios import Scenario
from tests.simulation.schedule_checks import schedule_breaches
from tests.simulation.system import System

FINAL = ("resolved", "error", "cancelled")
GIVEN_UP = ("lost", "retired", "crashed", "bad_input")
"""Codes of jobs that may end without work."""
ONLY_PENDING = ("due_at", "wake_at", "due_shard", "deferred_until", "progress")
MAX_WAKE_UPS = 8
"""Wake-ups of the watchdog for a job: their intervals double, and every job ends within two hours."""
STOP_MS = 2000
"""Work may still start while it is being cancelled: between the read of the job and its first step."""


def breaches(system: System, callers: Callers) -> list[str]:
    """Return a description of each guarantee that was broken. The world must be quiet."""
    jobs = system.jobs()
    problems = [f"unexpected exception in {error}" for error in system.world.errors]
    problems += [f"refused: {answer}" for answer in callers.answers.refused]
    problems += _unfinished(system, callers, jobs)
    for job_id in jobs:
        problems += _changes(system, callers, job_id)
    problems += _counters(system, jobs)
    problems += recorded.problems(system)
    problems += _filters(system, callers)
    problems += _work(system)
    problems += _indexes(system, jobs)
    problems += _photos(system, jobs)
    problems += system.receivers.breaches(jobs)
    problems += schedule_breaches(system, callers, jobs)
    for (owner, key), ids in callers.answers.keys.items():
        if len(ids) > 1:
            problems.append(f"key {key} of {owner} has several jobs: {sorted(ids)}")
    spent = system.spent
    pairs = zip(spent, spent[NARROW.limit :], strict=False)
    if not system.skew and any(later - earlier < 1000 * NARROW.seconds for earlier, later in pairs):
        problems.append(f"more than {NARROW.limit} units were spent within {NARROW.seconds} s")
    # A worker that dies between taking a unit and its request has opened our window, but not theirs. And the
    # margin of a window is shorter than these clocks differ.
    lost_units = any(call.fault and call.process == "job_worker photo" for call in system.world.calls)
    if system.third_party.over_limit and not lost_units and not system.skew:
        problems.append(f"{system.third_party.over_limit} requests over the third party's limit")
    return problems


def repetitions(system: System, scenario: Scenario) -> list[str]:
    """Check that a run without any fault does nothing twice.

    Several messages may start the first attempt, but only one of them starts the next. And no message of a
    job is redriven, unless the job's own work crashes.
    """
    later = [started.job for started in system.started if started.job.attempts > 0]
    starts = Counter((job.id, job.attempts, job.due_at) for job in later)
    problems = [f"{key[0]}: attempt {key[1] + 1} started twice" for key, count in starts.items() if count > 1]
    if "error crashed" not in scenario.ends:
        bodies = [body for queue in system.queues.values() for body in queue.redriven]
        problems += [f"redriven: {body}" for body in bodies for name in system.histories if name in body]
    return problems


def unexpected_ends(system: System, scenario: Scenario) -> list[str]:
    """Check how jobs ended. A single fault must not change that."""
    ends = sorted(
        f"{job.status} {job.error['code'] if job.error else ''}".strip() for job in system.jobs().values()
    )
    if scenario.ends and any(end not in scenario.ends for end in ends):
        return [f"the jobs ended as {ends}"]
    return []


def _unfinished(system: System, callers: Callers, jobs: dict[str, Job]) -> list[str]:
    problems = []
    for job_id, owner in callers.answers.accepted.items():
        if job_id not in jobs:
            problems.append(f"the accepted job {job_id} does not exist")
        elif jobs[job_id].owner != owner_digest(owner):
            problems.append(f"the job {job_id} of {owner} belongs to {jobs[job_id].owner}")
    for job in jobs.values():
        if job.status not in FINAL:
            problems.append(f"the job {job.id} is {job.status}")
        elif job.error and job.error["code"] == "lost":
            problems.append(f"the job {job.id} was given up as lost")
    for queue in system.queues.values():
        for (sender, body), count in queue.senders.items():
            if sender == "job_watchdog" and count > MAX_WAKE_UPS:
                problems.append(f"the watchdog sent {count} wake-ups: {body}")
        if queue.messages:
            problems.append(f"{len(queue.messages)} messages are left in {queue.name}")
    return problems


def _changes(system: System, callers: Callers, job_id: str) -> list[str]:
    """Check that a job only moves forward."""
    problems = []
    changes = [job for _, job in system.histories[job_id].changes]
    reopenings = 0
    for before, after in pairwise(changes):
        is_visible = before.public_view() != after.public_view()
        if after.version not in (before.version, before.version + 1):
            problems.append(f"{job_id}: version {before.version} became {after.version}")
        elif is_visible and after.version == before.version:
            problems.append(f"{job_id}: version {before.version} changed")
        if before.status in FINAL:
            is_retry = after.status == "pending" and after.run == before.run + 1
            reopenings += is_retry
            if not is_retry:
                problems.append(f"{job_id}: {before.status} became {after.status}")
        if after.run == before.run and after.attempts < before.attempts:
            problems.append(f"{job_id}: {before.attempts} attempts became {after.attempts}")
        if after.attempts > before.attempts + 1:
            problems.append(f"{job_id}: an attempt was counted twice")
    attempts = system.kinds[changes[-1].kind].attempts
    most = max(
        (job.error["attempts"] for job in changes if job.error and job.error["code"] != "crashed"), default=0
    )
    if max(most, *(job.attempts for job in changes)) > attempts:
        problems.append(f"{job_id}: more than {attempts} attempts")
    if reopenings < callers.answers.reopened.get(job_id, 0):
        problems.append(f"{job_id}: a retry was confirmed, but not made")
    return problems


def _counters(system: System, jobs: dict[str, Job]) -> list[str]:
    ledger = Ledger(DynamoDBClient(system.tables, lambda _, __, effect: effect()), "ledger")  # type: ignore[arg-type]
    problems = []
    for owner in {job.owner for job in jobs.values()}:
        counted = {status: count for status, count in ledger.counts(owner).by_status().items() if count}
        actual = Counter(job.status for job in jobs.values() if job.owner == owner)
        if counted != actual:
            problems.append(f"the counters of {owner} are {counted}, but there are {dict(actual)}")
    return problems


def _filters(system: System, callers: Callers) -> list[str]:
    """Check that every job was changed that the answers of calls with a filter counted."""
    changes: Counter[str] = Counter(
        after.status
        for history in system.histories.values()
        for (_, before), (_, after) in pairwise(history.changes)
        if before.status != after.status
    )
    return [
        f"{count} jobs are said to be {status} by a filter, but {changes[status]} were changed"
        for status, count in callers.answers.changed.items()
        if changes[status] < count
    ]


def _work(system: System) -> list[str]:
    """Check that work starts neither after the end nor too early, and before every end that it causes."""
    problems = []
    for started in system.started:
        job = started.job
        status, ended_at = "pending", 0
        for at, changed in system.histories[job.id].changes:
            if at <= started.at:
                status, ended_at = changed.status, at
        if status in FINAL and started.at - ended_at > STOP_MS:
            problems.append(f"{job.id}: work started {started.at - ended_at} ms after it was {status}")
        if (job.due_at or 0) > started.at + EARLY_MS + system.skew:
            problems.append(f"{job.id}: work started {(job.due_at or 0) - started.at} ms early")
    worked = {(started.job.id, started.job.run) for started in system.started}
    for job_id, history in system.histories.items():
        for _, job in history.changes:
            by_itself = job.status == "resolved" or (job.error and job.error["code"] not in GIVEN_UP)
            if job.status in FINAL and by_itself and (job_id, job.run) not in worked:
                problems.append(f"{job_id}: run {job.run} is {job.status}, but it never started")
    return problems


def _indexes(system: System, jobs: dict[str, Job]) -> list[str]:
    """Check that every index has the job where it is looked for."""
    problems = []
    for item in map(from_item, system.tables.items("jobs")):
        if not is_job(item["id"]):
            continue
        job = jobs[item["id"]]
        expected = {**index_keys(job), "changed_at": item.get("changed_at")}
        for name, value in expected.items():
            if item.get(name) != value:
                problems.append(f"{job.id}: {name} is {item.get(name)}, not {value}")
        if job.status in FINAL and any(name in item for name in ONLY_PENDING):
            problems.append(f"{job.id}: it has ended, but has fields that only a pending job has")
        if job.status in FINAL and item["changed_at"] != job.updated_at:
            problems.append(f"{job.id}: changed_at is not that of its end")
    return problems


def _photos(system: System, jobs: dict[str, Job]) -> list[str]:
    """Check that no photo of one answer was handed out twice."""
    used = Counter(str(job.output["id"]) for job in jobs.values() if job.kind == "photo" and job.output)
    return [f"photo {photo} was handed out {count} times" for photo, count in used.items() if count > 1]
