"""Run a scenario once."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.simulation.callers import Callers
from tests.simulation.checks import breaches, repetitions, unexpected_ends
from tests.simulation.relays import Relays, immediate_history
from tests.simulation.scenarios import OWNERS, SCENARIOS
from tests.simulation.serial import one_thread
from tests.simulation.system import System
from tests.simulation.world import START, Call, Fault, Stuck, World

BOUND = 2 * 3600 * 1000
"""Milliseconds in which every job must end, whatever happens."""
TRACE = 40


@dataclass(frozen=True)
class Result:
    """`breaches` are broken guarantees, `calls` the AWS calls that were made, `jobs` the number of jobs."""

    breaches: list[str]
    calls: list[Call]
    jobs: int

    def trace(self) -> str:
        """Return the calls around the faults, and the last ones."""
        faults = [call.number for call in self.calls if call.fault]
        near = {number for fault in faults for number in range(fault - 12, fault + 13)} or set(
            range(len(self.calls) - TRACE, len(self.calls))
        )
        return "\n".join(str(call) for call in self.calls if call.number in near)


def run(
    scenario: str,
    *,
    seed: int | None = None,
    plan: Mapping[int, Fault] | None = None,
    skew: int = 0,
    watchdog: bool = True,
    is_mixed: bool = False,
) -> Result:
    """Run a scenario until the world is quiet, and check the guarantees."""
    world = World(seed, plan, is_mixed=is_mixed)
    with one_thread(world), immediate_history():
        system = System(world, skew=skew, watchdog=watchdog)
        callers = Callers(system)
        relays = Relays(system, OWNERS)
        callers.on_accepted = relays.watch
        chosen = SCENARIOS[scenario]
        chosen.start(callers, system)
        problems = []
        try:
            world.run(
                lambda: callers.answers.waiting == 0 and system.is_quiet and relays.is_quiet, START + BOUND
            )
        except Stuck:
            problems.append("the world did not become quiet")
        problems += breaches(system, callers) + relays.breaches()
        relays.close()
        if seed is None:
            problems += unexpected_ends(system, chosen)
        if not plan and seed is None:
            problems += repetitions(system, chosen)
            if world.now > START + 1000 * chosen.seconds:
                problems.append(f"it took {(world.now - START) / 1000} s instead of {chosen.seconds}")
    return Result(problems, world.calls, len(system.histories))
