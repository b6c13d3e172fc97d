"""Check what the counter has recorded besides the counts: histories and minutes, against a recount."""

from collections import Counter
from itertools import pairwise

from functions.common.attributes import from_item
from functions.common.history import DEFERRED, MAX_ENTRIES, RETRIED, STARTED, from_text
from functions.common.job import Job
from functions.common.minutes import BLOCK, LETTERS, MINUTE
from tests.simulation.system import System

Step = tuple[str, int, str | None]


def problems(system: System) -> list[str]:
    """Return a description of each history and each minute that is wrong."""
    return _histories(system) + _minutes(system)


def _histories(system: System) -> list[str]:
    marks = {
        str(item["pk"]).removeprefix("mark#"): item
        for item in map(from_item, system.tables.items("ledger"))
        if str(item["pk"]).startswith("mark#")
    }
    wrong = []
    for job_id, history in system.histories.items():
        expected = _steps([job for _, job in history.changes])
        entries = from_text(str(marks[job_id].get("history", ""))) if job_id in marks else ()
        recorded = [
            (entry.status, entry.attempt, entry.code if entry.code in (DEFERRED, RETRIED) else None)
            for entry in entries
            if entry.code != STARTED
        ]
        if len(entries) < MAX_ENTRIES and recorded != expected:
            wrong.append(f"{job_id}: its history is {recorded}, not {expected}")
    return wrong


def _steps(changes: list[Job]) -> list[Step]:
    """Return the status, the attempt and the special code of each entry that a history should have."""
    steps: list[Step] = [("pending", 0, None)]
    for before, after in pairwise(changes):
        step: Step | None = None
        if after.run > before.run:
            step = ("pending", 0, RETRIED)
        elif after.status != before.status:
            attempt = after.error["attempts"] if after.error else after.attempts
            step = (after.status, attempt + (after.status == "resolved"), None)
        elif after.attempts > before.attempts:
            step = ("pending", after.attempts, None)
        elif after.deferred_until and after.deferred_until != before.deferred_until:
            step = ("pending", after.attempts, DEFERRED)
        if step and step != steps[-1]:
            steps.append(step)
    return steps


def _minutes(system: System) -> list[str]:
    expected: Counter[tuple[str, int, str]] = Counter()
    for history in system.histories.values():
        jobs = [job for _, job in history.changes]
        expected[jobs[0].owner, jobs[0].created_at // MINUTE, "created"] += 1
        for before, after in pairwise(jobs):
            if after.status != before.status and after.status in ("resolved", "error"):
                what = "failed" if after.status == "error" else "resolved"
                expected[after.owner, after.updated_at // MINUTE, what] += 1
    for (owner, minute, what), count in [*expected.items()]:
        if owner != "public":
            expected["*", minute, what] += count
    recorded: Counter[tuple[str, int, str]] = Counter()
    names = {letter: what for what, letter in LETTERS.items()}
    for item in map(from_item, system.tables.items("ledger")):
        kind, *rest = str(item["pk"]).split("#")
        if kind == "minutes":
            for name, value in item.items():
                if name[0].isdecimal() and name[1:] in names:
                    recorded[rest[0], int(rest[2]) * BLOCK + int(name[0]), names[name[1:]]] += value
    return [] if recorded == expected else [f"the minutes are {recorded}, not {expected}"]
