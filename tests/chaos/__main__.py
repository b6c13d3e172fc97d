"""Run many jobs under many faults and print what was injected and observed: `make chaos`."""

import argparse
import sys
import tempfile
from pathlib import Path

from local.processes import raise_on_sigterm
from tests.chaos.run import Plan, Verdict, run


def main() -> int:
    """Run the plan and print the report. Return exit status 1 if an invariant was broken."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--jobs", type=int, default=2000, help="jobs to create")
    parser.add_argument("--seed", type=int, default=1, help="seed of the faults")
    parser.add_argument("--clients", type=int, default=6, help="concurrent clients")
    parser.add_argument("--topics", type=int, default=10, help="different topics, at most 20")
    parser.add_argument("--limit", type=int, default=38, help="third-party requests per 15 s")
    parser.add_argument("--damages", type=int, default=10, help="damaged messages for the workers' queues")
    parser.add_argument("--folder", type=Path, help="where to keep the logs")
    options = parser.parse_args()
    plan = Plan(options.jobs, options.seed, options.clients, options.topics, options.limit, options.damages)
    raise_on_sigterm()
    with tempfile.TemporaryDirectory() as folder:
        verdict = run(plan, options.folder or Path(folder) / "run")
    report(plan, verdict)
    return 1 if verdict.breaches else 0


def report(plan: Plan, verdict: Verdict) -> None:
    """Print the injected faults, the observations and the first 20 breaches."""
    print(f"\nseed {plan.seed}: {plan.jobs} jobs, {plan.topics} topics, {verdict.seconds:.0f} s")
    for title, rows in (("injected", verdict.injected), ("observed", verdict.observed)):
        print(f"\n  {title}")
        for name, count in sorted(rows.items()):
            print(f"    {name:28}{count:8}")
    print(f"\n  breaches{len(verdict.breaches):28}")
    for breach in verdict.breaches[:20]:
        print(f"    {breach}")


if __name__ == "__main__":
    sys.exit(main())
