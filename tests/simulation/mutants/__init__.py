"""Known defects, as patches: the simulation must detect each of them.

A patch begins with a line that says what is wrong. One that no run can detect says why after `survives:`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tests.simulation.explore import Case, count_calls, crash_points, random_case
from tests.simulation.scenarios import SCENARIOS

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(__file__).parent
COPIED = ("functions", "kinds", "tests")
SURVIVES = "survives:"
HUNTED_SEEDS = 400
SECONDS = 600
"""How long a mutant is hunted at most."""


@dataclass(frozen=True)
class Verdict:
    """Whether a mutant was found, and by which run."""

    name: str
    found: bool
    text: str


def patches() -> list[Path]:
    return sorted(FOLDER.glob("*.patch"))


def report_mutants() -> int:
    """Run the simulation against every mutant. Return 1 if one survives without an explanation."""
    start = time.monotonic()
    survived = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for patch, verdict in zip(patches(), pool.map(try_mutant, patches()), strict=True):
            explained = SURVIVES in patch.read_text().splitlines()[0]
            survived += not verdict.found and not explained
            print(
                f"{'found   ' if verdict.found else 'SURVIVED'}  {verdict.name:32} {verdict.text}", flush=True
            )
    seconds = time.monotonic() - start
    print(f"{len(patches())} mutants in {seconds:.0f} s, {survived} survived without an explanation")
    return int(survived > 0)


def try_mutant(patch: Path) -> Verdict:
    """Apply a patch to a copy of the product, and run the simulation there until a guarantee is broken."""
    with tempfile.TemporaryDirectory() as folder:
        for name in COPIED:
            shutil.copytree(ROOT / name, Path(folder) / name, ignore=shutil.ignore_patterns("__pycache__"))
        applied = subprocess.run(["git", "apply", str(patch)], cwd=folder, check=False, capture_output=True)
        if applied.returncode:
            return Verdict(patch.stem, False, f"does not apply: {applied.stderr.decode().strip()}")
        command = [sys.executable, "-m", "tests.simulation", "--hunt"]
        try:
            done = subprocess.run(
                command, cwd=folder, check=False, capture_output=True, text=True, timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            return Verdict(patch.stem, False, f"not detected in {SECONDS} s")
        lines = (done.stdout or done.stderr).strip().splitlines()
        return Verdict(
            patch.stem, done.returncode == 1 and "BROKEN" in done.stdout, lines[-1] if lines else ""
        )


def hunt() -> int:
    """Run cases until a guarantee is broken. Return 1 if one is."""
    for case in _cases():
        try:
            breaches = case.run().breaches
        except Exception as error:  # noqa: BLE001  # a mutant may break anything
            breaches = [repr(error)]
        if breaches:
            print(f"BROKEN by {case}: {breaches[0].strip().splitlines()[-1][:200]}")
            return 1
    print("no run detects it")
    return 0


def _cases() -> Iterator[Case]:
    """Yield the scenarios without faults, then every crash point, mixed with pairs of faults."""
    yield from map(Case, SCENARIOS)
    seeds = iter(range(HUNTED_SEEDS))
    for name in sorted(SCENARIOS, key=count_calls):
        for number, case in enumerate(crash_points(name)):
            yield case
            if number % 4 == 0:
                yield from map(random_case, islice(seeds, 1))
    yield from map(random_case, seeds)
