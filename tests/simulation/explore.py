"""Choose faults, run scenarios with them, and shorten what fails."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from tests.simulation.run import Result, run
from tests.simulation.scenarios import SCENARIOS
from tests.simulation.world import FAULTS, Call, Fault

SIDES: tuple[Fault, Fault] = ("dies before", "dies after")
MIXED = 0.3
"""Share of the random runs in which two versions run beside each other."""
MAX_SKEW = 60_000
"""Milliseconds by which the clocks of two processes may differ in half of the random runs."""


@dataclass(frozen=True)
class Case:
    """One run. Without a seed nothing is random, and `plan` maps numbers of calls to faults.

    With a seed, everything is random, also the plan, unless it is given. If it `is_mixed`, two versions of
    each function run beside each other.
    """

    scenario: str
    seed: int | None = None
    plan: Mapping[int, Fault] = field(default_factory=dict)
    skew: int = 0
    watchdog: bool = True
    is_mixed: bool = False

    def run(self) -> Result:
        return run(
            self.scenario,
            seed=self.seed,
            plan=self.plan,
            skew=self.skew,
            watchdog=self.watchdog,
            is_mixed=self.is_mixed,
        )

    def __str__(self) -> str:
        faults = ",".join(
            f"{number}:{fault.replace(' ', '-')}" for number, fault in sorted(self.plan.items())
        )
        seed = "" if self.seed is None else f"SEED={self.seed} "
        watchdog = "" if self.watchdog else " WATCHDOG=false"
        return f"{seed}SCENARIO={self.scenario}" + (f" FAULTS={faults}" if faults else "") + watchdog


def crash_points(scenario: str) -> Iterator[Case]:
    """Yield a case for each call of the scenario and each side of it, and one without a fault.

    A worker that dies loses nothing that its queue does not bring back. So the same must hold without the
    watchdog, unless it is the API that dies: between its write and its send, only the watchdog helps.
    """
    for watchdog in (True, False):
        if SCENARIOS[scenario].needs_watchdog and not watchdog:
            continue
        calls = Case(scenario, watchdog=watchdog).run().calls
        yield Case(scenario, watchdog=watchdog)
        for call in calls:
            if watchdog or not call.process.startswith("api"):
                for fault in (*SIDES, *refusals(call)):
                    yield Case(scenario, plan={call.number: fault}, watchdog=watchdog)


def refusals(call: Call) -> Iterator[Fault]:
    """Yield the faults of services that a call may meet."""
    yield "throttled"
    if "send_message_batch" in call.operation:
        yield "partly refused"


def random_case(seed: int) -> Case:
    """Return the case of a seed: a scenario, two faults, clocks that may differ, and random times."""
    choice = random.Random(seed)
    scenario = choice.choice(sorted(SCENARIOS))
    skew = choice.choice((0, MAX_SKEW // 2))
    # times are random, so the number of calls is, too; a fault beyond the last one does not happen
    numbers = choice.sample(range(count_calls(scenario)), 2)
    plan = {number: choice.choice(FAULTS) for number in sorted(numbers)}
    return Case(scenario, seed, plan, skew, is_mixed=choice.random() < MIXED)


@cache
def count_calls(scenario: str) -> int:
    """Return the number of calls of the scenario if nothing is random."""
    return len(Case(scenario).run().calls)


def shrink(case: Case) -> Case:
    """Return a case that fails, too, without the faults and the differing clocks that do not matter."""
    for number in sorted(case.plan):
        plan = {other: fault for other, fault in case.plan.items() if other != number}
        smaller = replace(case, plan=plan)
        if smaller.run().breaches:
            return shrink(smaller)
    for smaller in (replace(case, skew=0), replace(case, is_mixed=False)):
        if smaller != case and smaller.run().breaches:
            return shrink(smaller)
    return case
