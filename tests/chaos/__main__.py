"""`make chaos`: many jobs under many faults, then a table of what was done and what was found."""

import argparse
import sys
import tempfile
from pathlib import Path

from local.processes import raise_on_sigterm
from tests.chaos.run import Plan, Verdict, run


def main() -> int:
    """Exit status 1 on any breach."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--topics", type=int, default=10)
    parser.add_argument("--limit", type=int, default=38, help="third-party requests in each 15 s")
    parser.add_argument("--folder", type=Path, help="keep the logs there")
    options = parser.parse_args()
    plan = Plan(options.jobs, options.seed, options.clients, options.topics, options.limit)
    raise_on_sigterm()
    with tempfile.TemporaryDirectory() as folder:
        verdict = run(plan, options.folder or Path(folder) / "run")
    report(plan, verdict)
    return 1 if verdict.breaches else 0


def report(plan: Plan, verdict: Verdict) -> None:
    """Print the table."""
    print(f"\nseed {plan.seed}: {plan.jobs} jobs, {plan.topics} topics, {verdict.seconds:.0f} s")
    for title, rows in (("injected", verdict.injected), ("found", verdict.found)):
        print(f"\n  {title}")
        for name, count in sorted(rows.items()):
            print(f"    {name:28}{count:8}")
    print(f"\n  breaches{len(verdict.breaches):28}")
    for breach in verdict.breaches[:20]:
        print(f"    {breach}")


if __name__ == "__main__":
    sys.exit(main())
