"""`make simulate`: every crash point of every scenario, and random pairs of faults; or one case again."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from multiprocessing import Pool

from functions.common.observability import logger
from tests.simulation.explore import Case, crash_points, random_case, shrink
from tests.simulation.mutants import hunt, report_mutants
from tests.simulation.scenarios import SCENARIOS
from tests.simulation.world import FAULTS, Fault

SEEDS = 2_000
MAX_SHOWN = 5


def main() -> int:
    """Return the exit status: 1 if a guarantee was broken."""
    options = _options()
    logger.setLevel("CRITICAL")
    if options.mutants:
        return report_mutants()
    if options.hunt:
        return hunt()
    if options.seed is not None or options.scenario:
        return _replay(options)
    start = time.monotonic()
    with Pool(os.cpu_count()) as pool:
        points = _run_all(
            pool, "every crash point", [case for name in SCENARIOS for case in crash_points(name)]
        )
        pairs = _run_all(
            pool, "pairs of faults", map(random_case, range(options.first, options.first + options.seeds))
        )
    print(f"{len(SCENARIOS)} scenarios in {time.monotonic() - start:.0f} s")
    return int(not (points and pairs))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="number of random cases")
    parser.add_argument("--first", type=int, default=0, help="the first of their seeds")
    parser.add_argument("--seed", type=int, help="replay the random case of this seed")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), help="run only this scenario")
    parser.add_argument("--faults", default="", help="with --scenario: number:fault, separated by commas")
    parser.add_argument("--watchdog", choices=("true", "false"), default="true", help="with --scenario")
    parser.add_argument("--mutants", action="store_true", help="check that known defects are detected")
    parser.add_argument("--hunt", action="store_true", help="stop at the first broken guarantee")
    return parser.parse_args()


def _run_all(pool: "Pool", title: str, cases: Iterable[Case]) -> bool:  # type: ignore[valid-type]
    """Run the cases, print figures and what fails. Return whether nothing does."""
    totals: Counter[str] = Counter()
    failed: list[Case] = []
    start = time.monotonic()
    for case, breaches, calls, jobs in pool.imap_unordered(_run, cases, chunksize=8):  # type: ignore[attr-defined]
        totals.update(runs=1, calls=calls, jobs=jobs)
        if breaches:
            failed.append(case)
    seconds = time.monotonic() - start
    print(
        f"{title}: {totals['runs']} runs, {totals['jobs']} jobs, {totals['calls']} AWS calls,"
        f" {totals['runs'] / seconds:.0f} runs/s, {len(failed)} failed"
    )
    for case in failed[:MAX_SHOWN]:
        _show(shrink(case))
    return not failed


def _run(case: Case) -> tuple[Case, list[str], int, int]:
    result = case.run()
    return case, result.breaches, len(result.calls), result.jobs


def _replay(options: argparse.Namespace) -> int:
    if options.seed is None:
        case = Case(options.scenario, plan=_plan(options.faults), watchdog=options.watchdog == "true")
    else:
        case = random_case(options.seed)
        if options.scenario and (options.scenario != case.scenario or options.faults):
            case = Case(options.scenario, options.seed, _plan(options.faults), case.skew)
    return _show(case)


def _plan(text: str) -> dict[int, Fault]:
    plan: dict[int, Fault] = {}
    for entry in filter(None, text.split(",")):
        number, _, name = entry.partition(":")
        (fault,) = (fault for fault in FAULTS if fault.replace(" ", "-") == name)
        plan[int(number)] = fault
    return plan


def _show(case: Case) -> int:
    result = case.run()
    print(f"\nmake simulate {case}")
    print(result.trace())
    for breach in result.breaches:
        print(f"BROKEN: {breach}")
    if not result.breaches:
        print("nothing is broken")
    return int(bool(result.breaches))


if __name__ == "__main__":
    sys.exit(main())
