"""`python -m infra.tools.upgrade`: show what deploying cdk.out would change, compared with an earlier commit.

Fails if the deployment would lose the state of a resource. On a branch, the earlier commit is where the
branch left `main`. On `main`, it is the last commit if there are uncommitted changes, otherwise the one
before it. `BASE=<commit>` selects another commit. Intended losses are listed, with reasons, in
infra/tools/replacements.txt.
"""

import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from infra.tools.bundle import BUILD, ROOT
from infra.tools.template_changes import compare

SITE = ROOT / "frontend" / "dist"
"""The current build of the web app, which is also used for the earlier commit. Templates contain only hashes
of files, and the same holds for the bundles."""
BIN = Path(sys.executable).parent
REPLACEMENTS = ROOT / "infra" / "tools" / "replacements.txt"
MAIN = ("origin/main", "main")


def main() -> int:
    """Compare the templates. Returns the exit status."""
    base = os.environ.get("BASE") or find_base(ROOT)
    if base is None:
        print("upgrade: not compared, because this clone does not contain an earlier commit (is it shallow?)")
        return 0
    print(f"upgrade: changes of resources since {_git(ROOT, 'log', '-1', '--format=%h %s', base)}")
    return report(_synthesize(base), ROOT / "cdk.out", parse_replacements(REPLACEMENTS.read_text()))


def find_base(repository: Path) -> str | None:
    """Return the commit to compare with, or None if the clone does not contain it."""
    head = _git(repository, "rev-parse", "HEAD")
    merge_bases = (_git(repository, "merge-base", "HEAD", name) for name in MAIN)
    base = next(filter(None, merge_bases), head)
    if base != head or _git(repository, "status", "--porcelain"):
        return base
    return _git(repository, "rev-parse", "--verify", "--quiet", "HEAD~1") or None


def report(before: Path, after: Path, accepted: set[str]) -> int:
    """Print the changed stacks. Returns 1 if state is lost in resources that are not in `accepted`."""
    losses = []
    files = sorted({path.name for folder in (before, after) for path in folder.glob("*.template.json")})
    for file in files:
        stack = file.removesuffix(".template.json")
        changes = compare(_read(before / file), _read(after / file))
        if changes:
            print("\n  ".join([f"{stack}: changes", *map(str, changes)]))
        losses += [f"{stack}/{change.name}" for change in changes if change.loss]
    unexpected = [name for name in losses if name not in accepted]
    if unexpected:
        print(f"\nupgrade: state would be lost: {', '.join(unexpected)}", file=sys.stderr)
        print(f"If this is intended, give the reason in {REPLACEMENTS.relative_to(ROOT)}.", file=sys.stderr)
    return 1 if unexpected else 0


def parse_replacements(text: str) -> set[str]:
    """Return the first word of each line that is not a comment: `<stack>/<logical id>`."""
    lines = (line.split() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return {words[0] for words in lines}


def _synthesize(commit: str) -> Path:
    """Synthesize the commit's templates from its sources, with the installed tools. The result is cached."""
    folder = BUILD / "upgrade" / _git(ROOT, "rev-parse", commit)
    output = folder / "cdk.out"
    if not (output / "manifest.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        archive = _run(["git", "archive", "--format=zip", commit], ROOT)
        with ZipFile(BytesIO(archive)) as sources:
            sources.extractall(folder)
        for generated in (BUILD, SITE):
            link = folder / generated.relative_to(ROOT)
            if generated.exists() and not link.exists():
                link.parent.mkdir(exist_ok=True)  # a commit may be older than the web app
                link.symlink_to(generated)
        _run([str(BIN / "cdk"), "synth", "--quiet", "--no-notices", "--output", str(output)], folder)
    return output


def _read(template: Path) -> dict[str, object]:
    return dict(json.loads(template.read_text())) if template.exists() else {}


def _run(command: list[str], folder: Path) -> bytes:
    """Return the output of a command. Raises RuntimeError with its error output if it fails."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"  # cdk.json runs the app with `python`
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stderr.decode(errors='replace')}")
    return done.stdout


def _git(repository: Path, *arguments: str) -> str:
    """Return the output of git, or an empty string if it fails."""
    process = subprocess.run(["git", *arguments], cwd=repository, capture_output=True, text=True, check=False)  # noqa: S603, S607
    return process.stdout.strip() if process.returncode == 0 else ""


if __name__ == "__main__":
    sys.exit(main())
